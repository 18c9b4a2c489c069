"""Every table of the lake: its grain, columns, types and partitions. The job creates tables from this.

Types are Spark SQL's. A `timestamp_ntz` is an instant in UTC. Money is decimal(18,4); no table
has a double, because sums of doubles depend on their order.
"""

from dataclasses import dataclass

MONEY = "decimal(18,4)"
# Of many events.
TOTAL = "decimal(28,4)"
REFUND = f"struct<refund_id:string,event_id:string,refunded_at:timestamp_ntz,refund_date:date,value:{MONEY}>"
ITEM_TYPES = {
    **dict.fromkeys(("product_id", "name", "category", "variant"), "string"),
    **{"price": MONEY, "qty": "int", "discount": MONEY, "list_name": "string", "position": "int"},
}
ITEM = f"struct<{','.join(f'{name}:{kind}' for name, kind in ITEM_TYPES.items())}>"


_OF_THE_RUN = ("run_id", "written_at")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    """`key` identifies a row; `partitions` are Iceberg's terms, that of the row's day first; `volatile` columns tell
    of the run, not of the shop, and are left out when two lakes are compared."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partitions: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    is_compared: bool = True

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def data_columns(self) -> list[str]:
        """The columns that do not tell of the run that wrote the row."""
        return [name for name in self.column_names if name not in _OF_THE_RUN]

    @property
    def day(self) -> str:
        """The date column by which the table is partitioned, by day or by month; empty if it is not partitioned."""
        return self.partitions[0].removeprefix("months(").removesuffix(")") if self.partitions else ""

    @property
    def is_by_month(self) -> bool:
        return self.partitions == (f"months({self.day})",)

    def type_of(self, name: str) -> str:
        """Spark SQL's type of the column `name`."""
        return next(column.type for column in self.columns if column.name == name)


def _columns(text: str) -> tuple[Column, ...]:
    """One column a line: name, type (without spaces), comment."""
    return tuple(Column(*line.split(None, 2)) for line in text.strip().splitlines())


_RUN_COLUMNS = """
run_id string the refresh that wrote the row
written_at timestamp_ntz when it was written
"""

EVENTS = Table(
    "events",
    "one row per event: the earliest copy of each (event_id, ts_date)",
    ("event_id", "ts_date"),
    _columns(f"""
event_id string idempotency key, made by the browser
ts_date date UTC date of ts as sent; 1970-01-01 if unreadable
event_date date shop-local date of occurred_at
stray_date date ts_date where it lies more than a day from event_date (a wrong clock), else null
occurred_at timestamp_ntz when it happened, corrected for the browser's clock
ts_quality string client, corrected, clamped or server: how occurred_at was found
ts timestamp_ntz when it happened by the browser's clock; null if unreadable
sent_at timestamp_ntz when this attempt was sent, by the browser's clock
received_at timestamp_ntz when the gateway had it
event_type string canonical type, GA4's names
visitor_id string the browser (anonymous_id); null without consent
session_id string computed session; null for bots, servers, imports, tests and without consent
set_aside_session_id string the session it would belong to, had its visit not behaved like a bot's
user_id string hashed user of a verified token
page_view_id string the page view it belongs to
session_hint string the browser's own idea of the session; never used
page_url string page, query reduced to the allow-list
page_title string title of the page
referrer string where the visitor came from
device_type string mobile, desktop, tablet, bot or other
browser string family from the user agent
os string operating system from the user agent
country string ISO 3166 alpha-2
country_name string English short name; null if the code is unknown
continent string continent of the country; null if unknown
city string city from the edge
items array<{ITEM}> products concerned
order_id string the shop's order
refund_id string the shop's refund
value {MONEY} goods after discounts, without tax and shipping
currency string ISO 4217; the shop's where none was sent
tax {MONEY} tax
shipping {MONEY} shipping
discount {MONEY} discount on the order
coupon string coupon
search_query string what was searched for
results_count int number of results
link_url string target of a click
element_id string element clicked
engaged_ms bigint foreground milliseconds of the page view so far
scroll_pct int deepest scroll in percent
page_kind string home, list, product, cart, checkout, ...
user_age int age, where the shop turned it on
own_props array<struct<key:string,value:string>> the shop's own keys, sorted
consent_analytics string granted, denied or unknown
consent_marketing string granted, denied or unknown
origin string browser, server or import
is_bot boolean a bot by user agent or behaviour
bot_reasons array<string> why; no_engagement, too_fast and too_regular by behaviour, revised with every late event
maybe_repeat boolean the ingest function had just seen the id
is_test boolean a test event: counts nowhere
sdk string name and version of the sender
contract_version int version of the event contract
ingest_id string the request it came in
position int position in the request
object string raw object it was read from
line int line in that object, from 1
{_RUN_COLUMNS.strip()}
"""),
    ("event_date", "stray_date"),
    (*_OF_THE_RUN, "object", "line"),
)

SESSIONS = Table(
    "sessions",
    "one row per session of a visitor",
    ("session_id",),
    _columns(f"""
session_id string hash of the visitor and the first event
visitor_id string the browser
session_date date shop-local date of the start
started_at timestamp_ntz first event
ended_at timestamp_ntz last event
duration_ms bigint last minus first
events int events, passive ones included
page_views int page_view events
product_views int view_item events
searches int search events
adds_to_cart int add_to_cart events
checkouts int begin_checkout events
purchases int purchase events
key_events int add_to_cart, begin_checkout, purchase and sign_up events
engaged_ms bigint sum over page views of their greatest engaged_ms
is_engaged boolean engaged_ms >= 10000 or page_views >= 2 or key_events >= 1
is_bounce boolean not engaged; null without a page view
is_single_page boolean one page view and no other event caused by the user
has_purchase boolean purchases > 0
view_item_at timestamp_ntz first view_item: funnel step 1
add_to_cart_at timestamp_ntz first add_to_cart strictly after step 1: step 2
begin_checkout_at timestamp_ntz first begin_checkout strictly after step 2: step 3
purchase_at timestamp_ntz first purchase strictly after step 3: step 4
funnel_step int deepest step reached, 0 to 4
entry_page string first page view's url
exit_page string last page view's url
device_type string of the first event
browser string of the first event
os string of the first event
country string of the first event
country_name string of the first event
continent string of the first event
source string where the visit came from
medium string by which medium
campaign string campaign
channel string channel group
{_RUN_COLUMNS.strip()}
"""),
    ("session_date",),
    _OF_THE_RUN,
)

ORDERS = Table(
    "orders",
    "one row per order; a refund whose purchase has not been seen is a row without ordered_at",
    ("order_id",),
    _columns(f"""
order_id string the shop's order, or event: and the event_id where none was sent
order_date date shop-local date of the purchase; null while only refunds are known
ordered_at timestamp_ntz earliest purchase by (occurred_at, event_id)
event_id string that purchase
session_id string its session
visitor_id string its visitor
user_id string its verified user
currency string ISO 4217
value {MONEY} goods after discounts, without tax and shipping
tax {MONEY} tax
shipping {MONEY} shipping
discount {MONEY} discount on the order
gross_revenue {MONEY} value + tax + shipping
refunded {MONEY} goods refunded, never more than value
net_revenue {MONEY} value - refunded
coupon string coupon
items array<{ITEM}> products bought
refunds array<{REFUND}> refunds in order of time
is_cancelled boolean refunded in full
is_bot boolean bought by a bot
is_consented boolean the visitor consented to analytics
has_order_id boolean an order_id was sent
repeats int further purchase events of this order
conflicts int of these, with another value or currency
country string of the purchase
country_name string of the purchase
continent string of the purchase
device_type string of the purchase
event_dates array<date> days that hold its purchases and refunds
{_RUN_COLUMNS.strip()}
"""),
    (),
    _OF_THE_RUN,
)

IDENTITY = Table(
    "identity",
    "one row per change of the verified user of a visitor",
    ("visitor_id", "valid_from"),
    _columns(f"""
visitor_id string the browser
valid_from timestamp_ntz the person owns the visitor from here
person_id string hashed user
{_RUN_COLUMNS.strip()}
"""),
    (),
    _OF_THE_RUN,
)

VISITOR_DAYS = Table(
    "visitor_days",
    "one row per visitor and day with at least one active event",
    ("event_date", "visitor_id"),
    _columns(f"""
event_date date shop-local day
visitor_id string the browser
first_active_at timestamp_ntz first active event of the day
last_active_at timestamp_ntz last active event of the day
active_events int events other than page_leave and page_ping
{_RUN_COLUMNS.strip()}
"""),
    ("months(event_date)",),
    _OF_THE_RUN,
)

DAILY_TRAFFIC = Table(
    "daily_traffic",
    "one row per day, dimension and value; dimension total (value all) is the whole day",
    ("event_date", "dimension", "value"),
    _columns(f"""
event_date date shop-local day; sessions count on the day they start
dimension string total, country, continent, device_type, browser, os, event_type, channel or source
value string value of the dimension; (not set) where there is none
events bigint events, without bots and tests
page_views bigint page_view events
product_views bigint view_item events
not_consented_events bigint of the events, those without consent
bot_events bigint events of bots, shown apart
set_aside_events bigint of the bot events, those known by their visit's behaviour alone
set_aside_sessions bigint these visits, on the day they start
visitors bigint distinct active visitors
sessions bigint sessions
engaged_sessions bigint engaged sessions
bounces bigint bounced sessions
sessions_with_page_view bigint sessions with a page view
single_page_sessions bigint sessions of one page view and nothing else
duration_ms bigint sum of session durations
engaged_ms bigint sum of engagement
sessions_with_view bigint sessions that reached funnel step 1
sessions_with_cart bigint sessions that reached step 2
sessions_with_checkout bigint sessions that reached step 3
sessions_with_purchase bigint sessions that reached step 4
sessions_with_order bigint sessions in which an order was made
{_RUN_COLUMNS.strip()}
"""),
    ("months(event_date)",),
    _OF_THE_RUN,
)

DAILY_ORDERS = Table(
    "daily_orders",
    "one row per day, currency, dimension and value; dimension total (value all) is the whole day",
    ("event_date", "currency", "dimension", "value"),
    _columns(f"""
event_date date shop-local day: of the order for orders, of the refund for refunds
currency string ISO 4217
dimension string total, country, continent, device_type, channel or source
value string value of the dimension; (not set) where there is none, (not consented) for channels without consent
orders bigint orders, bots included
bot_orders bigint of these, by bots
goods {TOTAL} value of the goods
tax {TOTAL} tax
shipping {TOTAL} shipping
gross_revenue {TOTAL} goods + tax + shipping
refunds bigint refunds made on this day
refunded {TOTAL} goods refunded on this day
net_revenue {TOTAL} goods - refunded
bot_net_revenue {TOTAL} of this, by bots
{_RUN_COLUMNS.strip()}
"""),
    ("months(event_date)",),
    _OF_THE_RUN,
)

DAILY_ACTIVE = Table(
    "daily_active",
    "one row per day: distinct active visitors and persons over 1, 7 and 30 days",
    ("event_date",),
    _columns(f"""
event_date date shop-local day
visitors bigint active on the day
visitors_7d bigint active on the day or the 6 before
visitors_30d bigint active on the day or the 29 before
persons bigint persons active on the day
persons_7d bigint persons active on the day or the 6 before
persons_30d bigint persons active on the day or the 29 before
is_partial boolean fewer than 30 days of history
{_RUN_COLUMNS.strip()}
"""),
    ("months(event_date)",),
    _OF_THE_RUN,
)

DAILY_PRODUCTS = Table(
    "daily_products",
    "one row per day, product and currency; a pair is a session and a product",
    ("event_date", "product_id", "currency"),
    _columns(f"""
event_date date shop-local day of the session's start; of the order for revenue
product_id string product
currency string ISO 4217 of the revenue; empty for rows about sessions
product_name string as last seen on the day
category string as last seen on the day
impressions bigint pairs with the product in a list
clicks bigint pairs with impression and click on the product
views bigint pairs with a view
carts bigint pairs with view and add to cart
carts_without_view bigint pairs with an add to cart and no view
purchases bigint pairs with view and purchase
quantity bigint units ordered
revenue {TOTAL} price x quantity of the ordered items; a price is after its item's discount
{_RUN_COLUMNS.strip()}
"""),
    ("event_date",),
    _OF_THE_RUN,
)

QUARANTINE = Table(
    "quarantine",
    "one row per refused line, kept with its reason",
    ("ingest_id", "position"),
    _columns(f"""
ingest_id string the request; text: and a hash for a line that carries none
position int position in the request
received_at timestamp_ntz when the gateway had it; null for a line that does not tell
received_date date UTC date of received_at, else 1970-01-01
reason string why it was refused
field string field concerned
raw_line string the raw line, as scrubbed by the ingest function
object string raw object
line int line in it, from 1
{_RUN_COLUMNS.strip()}
"""),
    ("months(received_date)",),
    (*_OF_THE_RUN, "object", "line"),
)

REPEATS = Table(
    "repeats",
    "one row per raw line that repeats another",
    ("object", "line"),
    _columns(f"""
object string raw object
line int line in it, from 1
object_date date UTC date of the object's prefix, else 1970-01-01
event_id string the event; null for the copy of a refused line
ts_date date the event's
ingest_id string the request of the repeat
position int position in the request
{_RUN_COLUMNS.strip()}
"""),
    ("months(object_date)",),
    _OF_THE_RUN,
    is_compared=False,
)

RESTATEMENTS = Table(
    "restatements",
    "one row per published number that a run changed: of a day that was over when the run before ended",
    ("run_id", "event_date", "table_name", "metric", "slice"),
    _columns(f"""
event_date date the day whose number changed
table_name string daily table it is in
metric string column of that table
slice string the rest of the row's key, as in "country DE" or "EUR total all"
old {TOTAL} as published; null where there was no row
new {TOTAL} as it is since this run; null where there is no row any more
{_RUN_COLUMNS.strip()}
"""),
    (),
    is_compared=False,
)

INGESTED_OBJECTS = Table(
    "ingested_objects",
    "one row per raw object that has been read",
    ("object",),
    _columns(f"""
object string key of the raw object
object_date date UTC date of its prefix, else 1970-01-01
object_hour timestamp_ntz UTC hour of its prefix; null for foreign keys
bytes bigint size
lines int lines the key promises, or found if more or not promised
lines_lost int promised lines that could not be read
error string what was wrong with the object; null if nothing
max_received_at timestamp_ntz greatest received_at of its lines
{_RUN_COLUMNS.strip()}
"""),
    ("months(object_date)",),
    _OF_THE_RUN,
    is_compared=False,
)

REFRESH_RUNS = Table(
    "refresh_runs",
    "one row per completed run, written last: its snapshots are a consistent lake",
    ("run_id",),
    _columns("""
run_id string the run
command string refresh, rebuild or reparse
started_at timestamp_ntz start
completed_at timestamp_ntz end
listed_until timestamp_ntz raw objects put before this were listed
as_of timestamp_ntz greatest received_at over all lines ever ingested
today date greatest event_date
first_touched date oldest day whose numbers were written again
objects bigint raw objects read
objects_failed bigint objects that could not be fetched; the next run tries them again
bytes bigint their size
lines bigint lines received: the ledger's left side
lines_lost bigint lines lost in damaged objects
lines_erased bigint lines of erased persons
lines_quarantined bigint lines refused
lines_stored bigint lines stored as events
lines_duplicate bigint lines that repeat another
total_lines bigint the same over all runs: received
total_lost bigint lost
total_erased bigint erased
total_quarantined bigint refused
total_stored bigint stored
total_duplicate bigint repeats
is_balanced boolean received = lost + erased + quarantined + stored + duplicate
snapshots map<string,bigint> snapshot id of every table at the end of the run
"""),
    (),
    is_compared=False,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        EVENTS,
        SESSIONS,
        ORDERS,
        IDENTITY,
        VISITOR_DAYS,
        DAILY_TRAFFIC,
        DAILY_ORDERS,
        DAILY_ACTIVE,
        DAILY_PRODUCTS,
        QUARANTINE,
        REPEATS,
        RESTATEMENTS,
        INGESTED_OBJECTS,
        REFRESH_RUNS,
    )
}
