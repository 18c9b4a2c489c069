-- The lake's tables by DuckDB, from the same raw objects as the job; run by refresh.py in a folder that holds raw/.
-- Each line that begins with "-- step:" begins a step, whose time is printed.

-- step: read and type the lines, find the repeats
create temp table arrivals as
with raw as (
    select *
    from read_json(
        'raw/**/*.gz', format = 'newline_delimited', compression = 'gzip', filename = 'object',
        hive_partitioning = false,
        columns = {
            ingest_id: 'varchar', position: 'integer', received_at: 'bigint', verdict: 'varchar', origin: 'varchar',
            is_bot: 'boolean', bot_reasons: 'varchar[]', maybe_repeat: 'boolean', is_test: 'boolean',
            browser: 'varchar', os: 'varchar', contract_version: 'integer', sdk: 'varchar', event_id: 'varchar',
            ts: 'bigint', sent_at: 'bigint', event_type: 'varchar', anonymous_id: 'varchar', session_hint: 'varchar',
            page_view_id: 'varchar', user_id: 'varchar', page_url: 'varchar', page_title: 'varchar',
            referrer: 'varchar', device: 'struct(type varchar)', geo: 'struct(country varchar, city varchar)',
            items: 'struct(product_id varchar, name varchar, category varchar, variant varchar,
                price decimal(18,4), qty integer, discount decimal(18,4), list_name varchar, position integer)[]',
            order_id: 'varchar', refund_id: 'varchar', value: 'decimal(18,4)', tax: 'decimal(18,4)',
            shipping: 'decimal(18,4)', discount: 'decimal(18,4)', currency: 'varchar', coupon: 'varchar',
            props: 'struct(search_query varchar, results_count integer, link_url varchar, element_id varchar,
                engaged_ms bigint, scroll_pct integer, page_kind varchar, user_age integer,
                own struct(key varchar, value varchar)[])',
            consent: 'struct(analytics varchar, marketing varchar)'
        }
    )
    where verdict = 'accepted' and received_at between 0 and 253402300799999
),
placed as (
    select
        *,
        ts is null or coalesce(sent_at < ts - 1000, false) as is_unusable,
        coalesce(received_at - sent_at, 0) as skew,
        abs(skew) <= 300000 as is_trusted,
        case when is_unusable then received_at when is_trusted then ts else ts + skew end as happened_ms,
        happened_ms > received_at + 60000 as is_ahead,
        case when is_ahead then received_at else happened_ms end as at_ms
    from raw
)
select
    event_id,
    coalesce(make_timestamp(ts * 1000)::date, date '1970-01-01') as ts_date,
    make_timestamp(at_ms * 1000)::date as event_date,
    case when abs(ts_date - event_date) > 1 then ts_date end as stray_date,
    make_timestamp(at_ms * 1000) as occurred_at,
    case
        when is_ahead then 'clamped' when is_unusable then 'server' when is_trusted then 'client' else 'corrected'
    end as ts_quality,
    make_timestamp(ts * 1000) as ts,
    make_timestamp(sent_at * 1000) as sent_at,
    make_timestamp(received_at * 1000) as received_at,
    event_type,
    anonymous_id as visitor_id,
    user_id,
    page_view_id,
    session_hint,
    page_url,
    page_title,
    referrer,
    device.type as device_type,
    browser,
    os,
    geo.country as country,
    geo.city as city,
    items,
    order_id,
    refund_id,
    value,
    coalesce(
        currency,
        case
            when coalesce(value, tax, shipping, discount) is not null
                or len(list_filter(items, lambda i: i.price is not null)) > 0
            then 'EUR'
        end
    ) as currency,
    tax,
    shipping,
    discount,
    coupon,
    props.search_query as search_query,
    props.results_count as results_count,
    props.link_url as link_url,
    props.element_id as element_id,
    props.engaged_ms as engaged_ms,
    props.scroll_pct as scroll_pct,
    props.page_kind as page_kind,
    props.user_age as user_age,
    props.own as own_props,
    consent.analytics as consent_analytics,
    consent.marketing as consent_marketing,
    origin,
    coalesce(is_bot, false) as is_bot,
    bot_reasons,
    coalesce(maybe_repeat, false) as maybe_repeat,
    coalesce(is_test, false) as is_test,
    sdk,
    contract_version,
    ingest_id,
    position,
    object
from placed
where happened_ms >= received_at - 90 * 86400000::bigint;

create temp table losers as
select rowid as row_id, object, event_id, ts_date, ingest_id, position
from arrivals
qualify row_number() over (
    partition by event_id, ts_date order by received_at, ingest_id, position, object
) > 1;

-- step: cut sessions
create temp table members as
with sessionable as (
    select
        rowid as row_id, visitor_id, epoch_ms(occurred_at) as at_ms, event_id, ts_date, event_type, page_view_id,
        case when event_type = 'page_view' and ts_quality in ('client', 'corrected') then at_ms end as page_at_ms,
        event_type = 'purchase' or user_id is not null as is_persons,
        coalesce(
            sdk like 'clicklake-js/%' and coalesce(engaged_ms, 0) = 0 and event_type in (
                'page_view', 'view_item', 'view_item_list', 'search', 'page_leave', 'page_ping'
            ), false
        ) as is_silent
    from arrivals
    where visitor_id is not null and not is_bot and not is_test
        and coalesce(origin, 'browser') not in ('server', 'import')
        and rowid not in (select row_id from losers)
),
breaks as (
    select
        *,
        coalesce(at_ms - lag(at_ms) over (partition by visitor_id order by at_ms, event_id, ts_date) > 1800000, false)
            as is_break,
        page_at_ms - last_value(page_at_ms ignore nulls) over (
            partition by visitor_id order by at_ms, event_id, ts_date rows between unbounded preceding and 1 preceding
        ) as since_page_ms,
        case when since_page_ms <= 1800000 then since_page_ms end as gap_ms
    from sessionable
),
islands as (
    select
        *,
        sum(is_break::integer) over (partition by visitor_id order by at_ms, event_id, ts_date) as island
    from breaks
),
parts as (
    select *, (at_ms - min(at_ms) over (partition by visitor_id, island)) // 86400000 as part from islands
),
starts as (
    select
        visitor_id, island, part,
        min({'at_ms': at_ms, 'event_id': event_id, 'ts_date': ts_date})
            filter (event_type not in ('page_leave', 'page_ping')) as first_active,
        count(gap_ms) as gaps, sum(gap_ms) as total, max(gap_ms) - min(gap_ms) as spread,
        case when bool_or(is_persons) then [] else list_filter([
            case when count_if(event_type = 'page_view') >= 12 and bool_and(is_silent) then 'no_engagement' end,
            case when gaps >= 9 and total < gaps * 1000 then 'too_fast' end,
            case when gaps >= 7 and total > 0 and spread * gaps * 10 <= total then 'too_regular' end
        ], reason -> reason is not null) end as reasons
    from parts
    group by visitor_id, island, part
),
named as (
    select *, substring(sha256(visitor_id || chr(10) || first_active.event_id), 1, 32) as own_session from starts
)
select
    p.row_id, p.visitor_id, p.at_ms, p.event_id, p.ts_date, p.event_type, p.page_view_id,
    coalesce({'at_ms': p.at_ms, 'event_id': p.event_id, 'ts_date': p.ts_date} >= s.first_active, false) as is_member,
    case when is_member then {'id': s.own_session, 'reasons': s.reasons} end as visit
from parts p join named s using (visitor_id, island, part);

-- Passive events before the first active one take the session of their page view.
update members set visit = found.visit
from (
    select
        late.row_id,
        arg_min(page.visit, {'at_ms': page.at_ms, 'event_id': page.event_id, 'ts_date': page.ts_date}) as visit
    from members late join members page using (visitor_id, page_view_id)
    where not late.is_member and page.event_type = 'page_view'
        and page.at_ms between late.at_ms - 86400000 and late.at_ms + 1800000
    group by late.row_id
) found
where members.row_id = found.row_id;

create temp table events as
select
    a.* replace (
        a.is_bot or coalesce(len(m.visit.reasons) > 0, false) as is_bot,
        coalesce(m.visit.reasons, a.bot_reasons, []) as bot_reasons
    ),
    c.name as country_name, c.continent, coalesce(m.is_member, false) as is_member,
    case when len(m.visit.reasons) = 0 then m.visit.id end as session_id,
    case when len(m.visit.reasons) > 0 then m.visit.id end as set_aside_session_id
from arrivals a
left join read_csv(getvariable('countries'), header = true, nullstr = '') c on a.country = c.code
left join members m on a.rowid = m.row_id
where a.rowid not in (select row_id from losers);

-- step: write events
copy (select * exclude (is_member), 'run' as run_id, getvariable('now') as written_at from events)
to 'out/events' (format parquet, compression zstd, partition_by (event_date));

-- step: sessions
create temp table sessions as
with pages as (
    select session_id, page_view_id, max(engaged_ms) as engaged_ms
    from events where session_id is not null and engaged_ms is not null
    group by session_id, page_view_id
),
engagement as (
    select session_id, sum(engaged_ms)::bigint as engaged_ms from pages group by session_id
),
ordered as (
    select *, {'occurred_at': occurred_at, 'event_id': event_id, 'ts_date': ts_date} as o
    from events where session_id is not null
),
grouped as (
    select
        session_id,
        min(visitor_id) as visitor_id,
        min(occurred_at) filter (is_member) as started_at,
        max(occurred_at) filter (is_member) as ended_at,
        count_if(is_member)::integer as events,
        count_if(is_member and event_type = 'page_view')::integer as page_views,
        count_if(is_member and event_type = 'view_item')::integer as product_views,
        count_if(is_member and event_type = 'search')::integer as searches,
        count_if(is_member and event_type = 'add_to_cart')::integer as adds_to_cart,
        count_if(is_member and event_type = 'begin_checkout')::integer as checkouts,
        count_if(is_member and event_type = 'purchase')::integer as purchases,
        count_if(is_member and event_type in ('add_to_cart', 'begin_checkout', 'purchase', 'sign_up'))::integer
            as key_events,
        count_if(is_member and event_type not in ('page_leave', 'page_ping')) as active_events,
        arg_min(page_url, o) filter (is_member and event_type = 'page_view' and page_url is not null) as entry_page,
        arg_max(page_url, o) filter (is_member and event_type = 'page_view' and page_url is not null) as exit_page,
        arg_min(
            {'device_type': device_type, 'browser': browser, 'os': os, 'country': country,
             'country_name': country_name, 'continent': continent}, o
        ) filter (is_member) as first_event,
        list({'o': o, 'event_type': event_type})
            filter (is_member and event_type in ('view_item', 'add_to_cart', 'begin_checkout', 'purchase')) as steps
    from ordered
    group by session_id
),
funnel as (
    select
        *,
        list_min(list_transform(list_filter(steps, lambda e: e.event_type = 'view_item'), lambda e: e.o)) as step_1,
        list_min(list_transform(
            list_filter(steps, lambda e: e.event_type = 'add_to_cart' and e.o > step_1), lambda e: e.o)) as step_2,
        list_min(list_transform(
            list_filter(steps, lambda e: e.event_type = 'begin_checkout' and e.o > step_2), lambda e: e.o)) as step_3,
        list_min(list_transform(
            list_filter(steps, lambda e: e.event_type = 'purchase' and e.o > step_3), lambda e: e.o)) as step_4
    from grouped
)
select
    session_id, visitor_id, started_at::date as session_date, started_at, ended_at,
    epoch_ms(ended_at) - epoch_ms(started_at) as duration_ms,
    events, page_views, product_views, searches, adds_to_cart, checkouts, purchases, key_events,
    coalesce(engagement.engaged_ms, 0) as engaged_ms,
    coalesce(engagement.engaged_ms, 0) >= 10000 or page_views >= 2 or key_events >= 1 as is_engaged,
    case when page_views >= 1 then not is_engaged end as is_bounce,
    page_views = 1 and active_events = 1 as is_single_page,
    purchases > 0 as has_purchase,
    step_1.occurred_at as view_item_at,
    step_2.occurred_at as add_to_cart_at,
    step_3.occurred_at as begin_checkout_at,
    step_4.occurred_at as purchase_at,
    case
        when step_4 is not null then 4 when step_3 is not null then 3
        when step_2 is not null then 2 when step_1 is not null then 1 else 0
    end as funnel_step,
    entry_page, exit_page,
    first_event.device_type, first_event.browser, first_event.os, first_event.country, first_event.country_name,
    first_event.continent
from funnel left join engagement using (session_id);

copy (select *, 'run' as run_id, getvariable('now') as written_at from sessions)
to 'out/sessions' (format parquet, compression zstd, partition_by (session_date));

-- step: orders
create temp table keyed as
select
    * replace (coalesce(order_id, 'event:' || event_id) as order_id),
    order_id is not null as has_order_id,
    coalesce(
        greatest(value, 0),
        case
            when len(list_filter(items, lambda i: i.price is not null)) > 0
            then greatest(
                list_sum(list_transform(
                    list_filter(items, lambda i: i.price is not null), lambda i: i.price * coalesce(i.qty, 1)
                )) - coalesce(discount, 0), 0
            )
        end
    )::decimal(18,4) as goods
from events
where not is_test
    and ((event_type = 'purchase' and goods is not null) or (event_type = 'refund' and order_id is not null));

create temp table orders as
with dates as (
    select order_id, list_sort(list(distinct event_date)) as event_dates from keyed group by order_id
),
numbered as (
    select
        *,
        row_number() over in_order as number,
        first({'goods': goods, 'currency': currency}) over in_order as first_one,
        count(*) over (partition by order_id) - 1 as repeats
    from keyed where event_type = 'purchase'
    window in_order as (partition by order_id order by occurred_at, event_id, ts_date)
),
purchases as (
    select
        *, (sum(({'goods': goods, 'currency': currency} is distinct from first_one)::integer)
            over (partition by order_id))::integer as conflicts
    from numbered
    qualify number = 1
),
refund_events as (
    select
        k.order_id, coalesce(k.refund_id, 'event:' || k.event_id) as refund_key, k.event_id, k.occurred_at, k.ts_date,
        k.event_date, coalesce(p.goods, 0) as total, coalesce(k.goods, p.goods, 0) as wanted
    from (
        select * from keyed where event_type = 'refund'
        qualify row_number() over (
            partition by order_id, coalesce(refund_id, 'event:' || event_id) order by occurred_at, event_id, ts_date
        ) = 1
    ) k
    left join purchases p using (order_id)
    where coalesce(k.currency = p.currency, true)
),
taken as (
    select
        *,
        sum(wanted) over (
            partition by order_id order by occurred_at, event_id, ts_date rows unbounded preceding
        ) as so_far,
        (least(so_far, total) - least(so_far - wanted, total))::decimal(18,4) as taken
    from refund_events
),
refunds as (
    select
        order_id,
        list(
            {'refund_id': refund_key, 'event_id': event_id, 'refunded_at': occurred_at, 'refund_date': event_date,
             'value': taken} order by occurred_at, event_id, ts_date
        ) as refunds,
        sum(taken)::decimal(18,4) as refunded
    from taken group by order_id
)
select
    order_id, p.event_date as order_date, p.occurred_at as ordered_at, p.event_id, p.session_id, p.visitor_id,
    p.user_id, p.currency, p.goods as value, coalesce(p.tax, 0) as tax, coalesce(p.shipping, 0) as shipping,
    coalesce(p.discount, 0) as discount,
    (p.goods + coalesce(p.tax, 0) + coalesce(p.shipping, 0))::decimal(18,4) as gross_revenue,
    coalesce(r.refunded, 0)::decimal(18,4) as refunded,
    p.goods - coalesce(r.refunded, 0) as net_revenue,
    p.coupon, p.items, r.refunds,
    p.goods > 0 and coalesce(r.refunded, 0) = p.goods as is_cancelled,
    p.is_bot, p.visitor_id is not null as is_consented, p.has_order_id, p.repeats::integer as repeats, p.conflicts,
    p.country, p.country_name, p.continent, p.device_type, d.event_dates
from dates d left join purchases p using (order_id) left join refunds r using (order_id);

copy (select *, 'run' as run_id, getvariable('now') as written_at from orders)
to 'out/orders.parquet' (format parquet, compression zstd);

-- step: repeats and visitor days
copy (select * exclude (row_id), 'run' as run_id, getvariable('now') as written_at from losers)
to 'out/repeats.parquet' (format parquet, compression zstd);

create temp table visitor_days as
select
    event_date, visitor_id, min(occurred_at) as first_active_at, max(occurred_at) as last_active_at,
    count(*)::integer as active_events
from events
where visitor_id is not null and not is_bot and not is_test and event_type not in ('page_leave', 'page_ping')
group by event_date, visitor_id;

copy (select *, 'run' as run_id, getvariable('now') as written_at from visitor_days)
to 'out/visitor_days' (format parquet, compression zstd, partition_by (event_date));

-- step: daily_traffic
create temp table daily_traffic as
with narrowed as (
    select
        event_date, visitor_id, country, continent, device_type, browser, os, event_type,
        count_if(not is_bot) as events,
        count_if(not is_bot and event_type = 'page_view') as page_views,
        count_if(not is_bot and event_type = 'view_item') as product_views,
        count_if(not is_bot and visitor_id is null) as not_consented_events,
        count_if(is_bot) as bot_events,
        count(set_aside_session_id) as set_aside_events,
        count_if(set_aside_session_id = substring(sha256(visitor_id || chr(10) || event_id), 1, 32))
            as set_aside_sessions,
        bool_or(
            visitor_id is not null and not is_bot and event_type not in ('page_leave', 'page_ping')
        ) as is_active
    from events where not is_test
    group by all
),
by_dimension as (
    select *, unnest([
        {'dimension': 'total', 'value': 'all'}, {'dimension': 'country', 'value': country},
        {'dimension': 'continent', 'value': continent}, {'dimension': 'device_type', 'value': device_type},
        {'dimension': 'browser', 'value': browser}, {'dimension': 'os', 'value': os},
        {'dimension': 'event_type', 'value': event_type}
    ]) as pair
    from narrowed
),
by_visitor as (
    select
        event_date, pair.dimension as dimension, coalesce(pair.value, '(not set)') as value, visitor_id,
        sum(events) as events, sum(page_views) as page_views, sum(product_views) as product_views,
        sum(not_consented_events) as not_consented_events, sum(bot_events) as bot_events,
        sum(set_aside_events) as set_aside_events, sum(set_aside_sessions) as set_aside_sessions,
        bool_or(is_active) as is_active
    from by_dimension group by all
),
of_events as (
    select
        event_date, dimension, value,
        sum(events) as events, sum(page_views) as page_views, sum(product_views) as product_views,
        sum(not_consented_events) as not_consented_events, sum(bot_events) as bot_events,
        sum(set_aside_events) as set_aside_events, sum(set_aside_sessions) as set_aside_sessions,
        count_if(is_active) as visitors
    from by_visitor group by all
),
with_order as (
    select s.*, o.session_id is not null as has_order
    from sessions s
    left join (
        select distinct session_id from orders where session_id is not null and ordered_at is not null
    ) o using (session_id)
),
session_pairs as (
    select *, unnest([
        {'dimension': 'total', 'value': 'all'}, {'dimension': 'country', 'value': country},
        {'dimension': 'continent', 'value': continent}, {'dimension': 'device_type', 'value': device_type},
        {'dimension': 'browser', 'value': browser}, {'dimension': 'os', 'value': os}
    ]) as pair
    from with_order
),
of_sessions as (
    select
        session_date as event_date, pair.dimension as dimension, coalesce(pair.value, '(not set)') as value,
        count(*) as sessions, count_if(is_engaged) as engaged_sessions, count_if(is_bounce) as bounces,
        count_if(page_views >= 1) as sessions_with_page_view, count_if(is_single_page) as single_page_sessions,
        sum(duration_ms) as duration_ms, sum(engaged_ms) as engaged_ms,
        count_if(funnel_step >= 1) as sessions_with_view, count_if(funnel_step >= 2) as sessions_with_cart,
        count_if(funnel_step >= 3) as sessions_with_checkout, count_if(funnel_step >= 4) as sessions_with_purchase,
        count_if(has_order) as sessions_with_order
    from session_pairs group by all
)
select
    event_date, dimension, value,
    coalesce(columns(* exclude (event_date, dimension, value))::bigint, 0)
from of_events full join of_sessions using (event_date, dimension, value);

copy (select *, 'run' as run_id, getvariable('now') as written_at from daily_traffic)
to 'out/daily_traffic' (format parquet, compression zstd, partition_by (event_date));

-- step: daily_orders and daily_products
create temp table daily_orders as
with changes as (
    select
        order_date as event_date, currency, country, continent, device_type,
        1 as orders, is_bot::integer as bot_orders, value as goods, tax, shipping, gross_revenue,
        0 as refunds, 0::decimal(18,4) as refunded, value as net_revenue,
        case when is_bot then value else 0 end as bot_net_revenue
    from orders where ordered_at is not null
    union all
    select
        r.refund_date, currency, country, continent, device_type, 0, 0, 0, 0, 0, 0, 1, r.value, -r.value,
        case when is_bot then -r.value else 0 end
    from (select *, unnest(refunds) as r from orders where ordered_at is not null)
),
pairs as (
    select *, unnest([
        {'dimension': 'total', 'value': 'all'}, {'dimension': 'country', 'value': country},
        {'dimension': 'continent', 'value': continent}, {'dimension': 'device_type', 'value': device_type}
    ]) as pair
    from changes
)
select
    event_date, coalesce(currency, 'EUR') as currency, pair.dimension as dimension,
    coalesce(pair.value, '(not set)') as value,
    sum(orders)::bigint as orders, sum(bot_orders)::bigint as bot_orders, sum(goods)::decimal(18,4) as goods,
    sum(tax)::decimal(18,4) as tax, sum(shipping)::decimal(18,4) as shipping,
    sum(gross_revenue)::decimal(18,4) as gross_revenue, sum(refunds)::bigint as refunds,
    sum(refunded)::decimal(18,4) as refunded, sum(net_revenue)::decimal(18,4) as net_revenue,
    sum(bot_net_revenue)::decimal(18,4) as bot_net_revenue
from pairs group by all;

copy (select *, 'run' as run_id, getvariable('now') as written_at from daily_orders)
to 'out/daily_orders' (format parquet, compression zstd, partition_by (event_date));

create temp table daily_products as
with touched as (
    select session_id, event_type, occurred_at, event_id, unnest(items) as item
    from events where session_id is not null
),
pairs as (
    select
        session_id, item.product_id as product_id,
        bool_or(event_type = 'view_item_list') as is_listed, bool_or(event_type = 'select_item') as is_clicked,
        bool_or(event_type = 'view_item') as is_viewed, bool_or(event_type = 'add_to_cart') as is_added,
        bool_or(event_type = 'purchase') as is_bought,
        max({'at': occurred_at, 'id': event_id, 'name': item.name, 'category': item.category}) as latest
    from touched where item.product_id is not null
    group by session_id, item.product_id
)
select
    session_date as event_date, product_id, '' as currency, max(latest).name as product_name,
    max(latest).category as category, count_if(is_listed)::bigint as impressions,
    count_if(is_listed and is_clicked)::bigint as clicks, count_if(is_viewed)::bigint as views,
    count_if(is_viewed and is_added)::bigint as carts,
    count_if(not is_viewed and is_added)::bigint as carts_without_view,
    count_if(is_viewed and is_bought)::bigint as purchases, 0 as quantity, 0::decimal(18,4) as revenue
from pairs join sessions using (session_id)
group by session_date, product_id
union all
select
    order_date, item.product_id, coalesce(currency, 'EUR'),
    max({'at': ordered_at, 'id': order_id, 'name': item.name, 'category': item.category}).name,
    max({'at': ordered_at, 'id': order_id, 'name': item.name, 'category': item.category}).category,
    0, 0, 0, 0, 0, 0, sum(coalesce(item.qty, 1))::bigint,
    sum(item.price * coalesce(item.qty, 1))::decimal(18,4)
from (select *, unnest(items) as item from orders where ordered_at is not null)
where item.product_id is not null
group by order_date, item.product_id, coalesce(currency, 'EUR');

copy (select *, 'run' as run_id, getvariable('now') as written_at from daily_products)
to 'out/daily_products' (format parquet, compression zstd, partition_by (event_date));
