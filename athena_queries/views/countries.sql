-- one row per country that a visit came from, with its name and continent
select
    country,
    max(country_name) as country_name,
    max(continent) as continent
from sessions
where country is not null
group by country
