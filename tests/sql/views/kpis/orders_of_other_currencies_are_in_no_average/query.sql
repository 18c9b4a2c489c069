select *
from kpis
where period in ('all', 'previous') and position between 6 and 8
