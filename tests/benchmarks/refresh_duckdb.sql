-- The lake's tables by DuckDB, from the same raw objects as the job; run by refresh.py in a folder that holds raw/.
-- Each line that begins with "-- step:" begins a step, whose time is printed.

-- step: read and type the lines
-- So that a row's number tells the line's.
set preserve_insertion_order = true;
-- The day of an instant by the clocks of the shop's time zone.
create temp macro local_date(instant) as timezone(getvariable('time_zone'), timezone('UTC', instant))::date;
create temp macro is_money(text) as regexp_full_match(text, '-?\d{1,12}(\.\d{1,4})?');

create temp table arrivals as
with lines as (
    select *
    from read_json(
        'raw/**/*.gz', format = 'newline_delimited', compression = 'gzip', filename = 'object',
        hive_partitioning = false, ignore_errors = true,
        columns = {
            ingest_id: 'varchar', position: 'integer', received_at: 'bigint', verdict: 'varchar', origin: 'varchar',
            is_bot: 'boolean', bot_reasons: 'varchar[]', maybe_repeat: 'boolean', is_test: 'boolean',
            browser: 'varchar', os: 'varchar', contract_version: 'integer', sdk: 'varchar', event_id: 'varchar',
            ts: 'bigint', sent_at: 'bigint', event_type: 'varchar', anonymous_id: 'varchar', session_hint: 'varchar',
            page_view_id: 'varchar', user_id: 'varchar', page_url: 'varchar', page_title: 'varchar',
            referrer: 'varchar', device: 'struct(type varchar)', geo: 'struct(country varchar, city varchar)',
            items: 'struct(product_id varchar, name varchar, category varchar, variant varchar,
                price varchar, qty integer, discount varchar, list_name varchar, position integer)[]',
            order_id: 'varchar', refund_id: 'varchar', value: 'varchar', tax: 'varchar', shipping: 'varchar',
            discount: 'varchar', currency: 'varchar', coupon: 'varchar',
            props: 'struct(search_query varchar, results_count integer, link_url varchar, element_id varchar,
                engaged_ms bigint, scroll_pct integer, page_kind varchar, user_age integer,
                own struct(key varchar, value varchar)[])',
            consent: 'struct(analytics varchar, marketing varchar)', reason: 'varchar', field: 'varchar'
        }
    )
),
checked as (
    select
        *,
        -- Of a line that is no JSON the reader makes a row of nulls.
        coalesce(ingest_id, position::varchar, received_at::varchar, verdict) is null as is_broken,
        case
            when ingest_id is null then 'ingest_id' when position is null then 'position'
            when received_at is null then 'received_at' when verdict is null then 'verdict'
        end as missing,
        case when event_id is null then 'event_id' when event_type is null then 'event_type' end as missing_of_event,
        case
            when not is_money(value) then 'value'
            when not is_money(tax) then 'tax'
            when not is_money(shipping) then 'shipping'
            when not is_money(discount) then 'discount'
            when len(list_filter(items, lambda i: not is_money(i.price))) > 0 then 'items.price'
            when len(list_filter(items, lambda i: not is_money(i.discount))) > 0 then 'items.discount'
            when received_at not between 0 and 7258118399999 then 'received_at'
            when ts not between -62135596800000 and 253402300799999 then 'ts'
            when sent_at not between -62135596800000 and 253402300799999 then 'sent_at'
        end as drifted
    from lines
),
judged as (
    select
        * exclude (reason, field)
        replace (
            case when received_at between 0 and 7258118399999 then received_at end as received_at,
            case when ts between -62135596800000 and 253402300799999 then ts end as ts,
            case when sent_at between -62135596800000 and 253402300799999 then sent_at end as sent_at,
            try_cast(items as struct(
                product_id varchar, name varchar, category varchar, variant varchar, price decimal(18,4), qty integer,
                discount decimal(18,4), list_name varchar, position integer
            )[]) as items,
            try_cast(value as decimal(18,4)) as value,
            try_cast(tax as decimal(18,4)) as tax,
            try_cast(shipping as decimal(18,4)) as shipping,
            try_cast(discount as decimal(18,4)) as discount
        ),
        case
            when missing is null and verdict = 'accepted' and missing_of_event is null and drifted is null then null
            when is_broken then {'reason': 'not_json', 'field': null}
            when missing is not null then {'reason': 'not_a_raw_line', 'field': missing}
            when verdict = 'rejected' then {'reason': coalesce(reason, 'rejected'), 'field': field}
            when verdict <> 'accepted' then {'reason': 'type_drift', 'field': 'verdict'}
            when missing_of_event is not null then {'reason': 'not_a_raw_line', 'field': missing_of_event}
            else {'reason': 'type_drift', 'field': drifted}
        end as refusal
    from checked
),
placed as (
    select
        *,
        ts is null or coalesce(sent_at < ts - 1000, false) as is_unusable,
        coalesce(received_at - sent_at, 0) as skew,
        abs(skew) <= 300000 as is_trusted,
        case when is_unusable then received_at when is_trusted then ts else ts + skew end as happened_ms,
        happened_ms > received_at + 60000 as is_ahead,
        case when is_ahead then received_at else happened_ms end as at_ms,
        case
            when refusal is null and happened_ms < received_at - 90 * 86400000::bigint then 'too_late'
            else refusal.reason
        end as reason
    from judged
)
select
    event_id,
    coalesce(make_timestamp(ts * 1000)::date, date '1970-01-01') as ts_date,
    local_date(make_timestamp(at_ms * 1000)) as event_date,
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
    case when props.engaged_ms is not null then least(props.engaged_ms, 86400000) end as engaged_ms,
    props.scroll_pct as scroll_pct,
    props.page_kind as page_kind,
    props.user_age as user_age,
    props.own as own_props,
    consent.analytics as consent_analytics,
    consent.marketing as consent_marketing,
    origin,
    coalesce(is_bot, false) as is_bot,
    case
        when is_bot
        then list_filter(bot_reasons, lambda r: r not in ('no_engagement', 'too_fast', 'too_regular'))
    end as bot_reasons,
    coalesce(maybe_repeat, false) as maybe_repeat,
    coalesce(is_test, false) as is_test,
    sdk,
    contract_version,
    ingest_id,
    position,
    object,
    reason,
    refusal.field as field
from placed;

set preserve_insertion_order = false;

create temp table objects as
with found as (
    select object, min(rowid) as first_row, count(*) as lines, max(received_at) as max_received_at
    from arrivals group by object
),
listed as (
    select
        filename as object, size as bytes,
        try_strptime(
            regexp_extract(filename, '^raw/year=\d{4}/month=\d{2}/day=\d{2}/hour=\d{2}/'),
            'raw/year=%Y/month=%m/day=%d/hour=%H/'
        ) as object_hour,
        coalesce(try_cast(regexp_extract(filename, 'events-[^/]+-(\d{1,6})\.ndjson\.gz$', 1) as integer), 0) as promised
    from read_blob('raw/**/*.gz')
)
select
    object, coalesce(object_hour::date, date '1970-01-01') as object_date, object_hour, bytes,
    greatest(promised, coalesce(lines, 0))::integer as lines,
    greatest(promised - coalesce(lines, 0), 0)::integer as lines_lost, max_received_at, first_row
from listed left join found using (object);

-- step: find the repeats
create temp table copies as
with repeated as (
    select event_id, ts_date from arrivals where reason is null group by event_id, ts_date having count(*) > 1
)
select
    a.rowid as row_id, event_id, ts_date, ingest_id, position, object,
    row_number() over (
        partition by event_id, ts_date order by received_at, ingest_id, position, object, a.rowid
    ) > 1 as is_repeat,
    min(user_id) over (partition by event_id, ts_date) as least_user_id
from arrivals a semi join repeated using (event_id, ts_date)
where reason is null;

create temp table refused as
with identified as (
    select
        *, rowid as row_id,
        case when position is not null and ingest_id is not null then ingest_id else 'row:' || rowid end as request
    from arrivals where reason is not null
)
select
    row_id, request as ingest_id, coalesce(position, 0) as position, received_at,
    coalesce(received_at::date, date '1970-01-01') as received_date, reason, field, object,
    row_number() over (partition by request, position order by object, row_id) > 1 as is_repeat
from identified;

-- step: cut sessions
create temp table members as
with sessionable as (
    select
        a.rowid as row_id, visitor_id, epoch_ms(occurred_at) as at_ms, a.event_id, a.ts_date, event_type, page_view_id,
        case when event_type = 'page_view' and ts_quality in ('client', 'corrected') then at_ms end as page_at_ms,
        event_type = 'purchase' or coalesce(a.user_id, c.least_user_id) is not null as is_persons,
        coalesce(
            sdk like 'clicklake-js/%' and coalesce(engaged_ms, 0) = 0 and event_type in (
                'page_view', 'view_item', 'view_item_list', 'search', 'page_leave', 'page_ping'
            ), false
        ) as is_silent
    from arrivals a left join copies c on a.rowid = c.row_id
    where reason is null and c.is_repeat is not true and visitor_id is not null and not is_bot and not is_test
        and coalesce(origin, 'browser') not in ('server', 'import')
),
breaks as (
    select
        *,
        coalesce(at_ms - lag(at_ms) over (partition by visitor_id order by at_ms, event_id, ts_date) > 1800000, true)
            as is_start,
        page_at_ms - last_value(page_at_ms ignore nulls) over (
            partition by visitor_id order by at_ms, event_id, ts_date rows between unbounded preceding and 1 preceding
        ) as since_page_ms,
        case when since_page_ms <= 1800000 then since_page_ms end as gap_ms
    from sessionable
),
islands as (
    select
        *,
        max(case when is_start then at_ms end) over (
            partition by visitor_id order by at_ms, event_id, ts_date rows unbounded preceding
        ) as island,
        (at_ms - island) // 86400000 as part
    from breaks
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
    from islands
    group by visitor_id, island, part
),
named as (
    select
        *,
        substring(sha256(concat_ws(chr(10), visitor_id, first_active.event_id, first_active.ts_date)), 1, 32)
            as own_session
    from starts
)
select
    p.row_id, p.visitor_id, p.at_ms, p.event_id, p.ts_date, p.event_type, p.page_view_id,
    coalesce({'at_ms': p.at_ms, 'event_id': p.event_id, 'ts_date': p.ts_date} >= s.first_active, false) as is_member,
    case when is_member then {'id': s.own_session, 'reasons': s.reasons} end as visit
from islands p join named s using (visitor_id, island, part);

-- Passive events before the first active one take the session of their page view.
update members set visit = found.visit
from (
    select
        late.row_id,
        arg_min(page.visit, {'at_ms': page.at_ms, 'event_id': page.event_id, 'ts_date': page.ts_date}) as visit
    from members late join members page using (visitor_id, page_view_id)
    where not late.is_member and page.event_type = 'page_view'
        and page.at_ms between late.at_ms - 82800000 and late.at_ms + 1800000
    group by late.row_id
) found
where members.row_id = found.row_id;

-- The wide rows stay where they are and the narrow ones are looked up. The optimizer would do it the other way round,
-- as it takes the filter to leave few rows: it lets nearly all of them pass.
set disabled_optimizers = 'build_side_probe_side';
create temp table events as
select
    a.* exclude (reason, field) replace (
        a.is_bot or coalesce(len(m.visit.reasons) > 0, false) as is_bot,
        coalesce(m.visit.reasons, a.bot_reasons, []) as bot_reasons,
        coalesce(c.least_user_id, a.user_id) as user_id
    ),
    (a.rowid - o.first_row + 1)::integer as line,
    n.name as country_name, n.continent, coalesce(m.is_member, false) as is_member,
    case when len(m.visit.reasons) = 0 then m.visit.id end as session_id,
    case when len(m.visit.reasons) > 0 then m.visit.id end as set_aside_session_id
from arrivals a
join objects o using (object)
left join read_csv(getvariable('countries'), header = true, nullstr = '') n on a.country = n.code
left join copies c on a.rowid = c.row_id
left join members m on a.rowid = m.row_id
where reason is null and c.is_repeat is not true;
set disabled_optimizers = '';
drop table members;
drop table arrivals;

-- step: write events
copy (select * exclude (is_member), 'run' as run_id, getvariable('now') as written_at from events)
to 'out/events' (format parquet, compression zstd, partition_by (event_date, stray_date));

-- step: sessions
create temp macro clean_host(text) as
    nullif(regexp_replace(regexp_replace(lower(trim(text)), '\.+$', ''), '^www\d?\.', ''), '');
create temp macro host_of(url) as
    clean_host(regexp_extract(lower(trim(url)), '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)', 1));
-- A value with a stray percent sign is kept as it was sent.
create temp macro decoded(raw) as case
    when regexp_matches(raw, '%([^0-9A-Fa-f]|[0-9A-Fa-f]?$|[0-9A-Fa-f][^0-9A-Fa-f])') then raw
    else coalesce(try(url_decode(replace(raw, '+', ' '))), raw)
end;
create temp macro parameter(url, name) as
    nullif(trim(decoded(regexp_extract(url, '(?i)[?&]' || name || '=([^&#]*)', 1))), '');
create temp macro has_parameter(url, name) as regexp_matches(url, '(?i)[?&](' || name || ')=[^&#]');

-- The last labels of a host, of a country site of one owner those under .com.
create temp macro last_labels(host, labels) as array_to_string(
    string_split(
        regexp_replace(
            host, '(^|\.)(google|yahoo|bing|yandex|amazon|ebay|pinterest)\.(?:com?\.)?[a-z]{2,3}$', '\1\2.com'
        ),
        '.'
    )[-labels:],
    '.'
);
create temp macro visit_by(source, medium) as {'source': source, 'medium': medium, 'campaign': '(not set)'};

create temp table sources as
select name, kind, domains, aliases
from (
    select unnest(sources, recursive := true)
    from read_json(
        getvariable('sources'),
        columns = {sources: 'struct(name varchar, kind varchar, domains varchar[], aliases varchar[])[]'}
    )
);
create temp table source_domains as select name, kind, unnest(domains) as domain from sources;
create temp table source_names as select unnest([name] || coalesce(aliases, [])) as name, kind from sources;
-- The source of the longest listed domain that the host is or lies below.
create temp macro listed(host) as (
    select max({'length': strlen(domain), 'name': name, 'kind': kind}) from source_domains
    where domain in (last_labels(host, 4), last_labels(host, 3), last_labels(host, 2))
);
set variable own_hosts = (
    select '(^|\.)(' || replace(array_to_string([getvariable('shop_host')] || payment_gateways, '|'), '.', '\.') || ')$'
    from read_json(getvariable('sources'), columns = {payment_gateways: 'varchar[]'})
);

create temp table summaries as
with pages as (
    select session_id, page_view_id, max(engaged_ms) as engaged_ms
    from events where session_id is not null and page_view_id is not null and engaged_ms is not null
    group by session_id, page_view_id
),
engagement as (
    select session_id, sum(engaged_ms)::bigint as engaged_ms from pages group by session_id
),
ordered as (
    select
        *,
        {'occurred_at': occurred_at, 'event_id': event_id, 'ts_date': ts_date} as o,
        case when contains(page_url, '=') then has_parameter(page_url, 'utm_[a-z_]+') end as has_utm,
        case
            when contains(page_url, '=')
            then has_parameter(
                page_url, 'gclid|gbraid|wbraid|dclid|gad_source|msclkid|ttclid|twclid|li_fat_id|fbclid'
            )
        end as has_click,
        host_of(referrer) as host,
        case
            when host is not null and not regexp_matches(host, getvariable('own_hosts'))
                and host is distinct from host_of(page_url)
            then host
        end as external_host
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
        arg_min(page_url, o) filter (is_member and has_utm) as utm_url,
        arg_min(page_url, o) filter (is_member and has_click) as click_url,
        arg_min(external_host, o) filter (is_member and external_host is not null) as external_host
    from ordered
    group by session_id
),
-- Each step strictly after the one before.
steps as (
    select session_id, event_type, o from ordered
    where is_member and event_type in ('view_item', 'add_to_cart', 'begin_checkout', 'purchase')
),
step_1 as (
    select session_id, min(o) as o from steps where event_type = 'view_item' group by session_id
),
step_2 as (
    select session_id, min(s.o) as o from steps s join step_1 b using (session_id)
    where event_type = 'add_to_cart' and s.o > b.o group by session_id
),
step_3 as (
    select session_id, min(s.o) as o from steps s join step_2 b using (session_id)
    where event_type = 'begin_checkout' and s.o > b.o group by session_id
),
step_4 as (
    select session_id, min(s.o) as o from steps s join step_3 b using (session_id)
    where event_type = 'purchase' and s.o > b.o group by session_id
)
select
    session_id, visitor_id, local_date(started_at) as session_date, started_at, ended_at,
    epoch_ms(ended_at) - epoch_ms(started_at) as duration_ms,
    events, page_views, product_views, searches, adds_to_cart, checkouts, purchases, key_events,
    coalesce(engagement.engaged_ms, 0) as engaged_ms,
    coalesce(engagement.engaged_ms, 0) >= 10000 or page_views >= 2 or key_events >= 1 as is_engaged,
    case when page_views >= 1 then not is_engaged end as is_bounce,
    page_views = 1 and active_events = 1 as is_single_page,
    purchases > 0 as has_purchase,
    step_1.o.occurred_at as view_item_at,
    step_2.o.occurred_at as add_to_cart_at,
    step_3.o.occurred_at as begin_checkout_at,
    step_4.o.occurred_at as purchase_at,
    case
        when step_4.o is not null then 4 when step_3.o is not null then 3
        when step_2.o is not null then 2 when step_1.o is not null then 1 else 0
    end as funnel_step,
    entry_page, exit_page,
    first_event.device_type, first_event.browser, first_event.os, first_event.country, first_event.country_name,
    first_event.continent,
    case
        when utm_url is not null
        then {
            'source': coalesce(parameter(utm_url, 'utm_source'), '(not set)'),
            'medium': coalesce(parameter(utm_url, 'utm_medium'), '(not set)'),
            'campaign': coalesce(parameter(utm_url, 'utm_campaign'), '(not set)')
        }
        when click_url is not null
        then case
            when has_parameter(click_url, 'gclid|gbraid|wbraid|dclid|gad_source') then visit_by('google', 'cpc')
            when has_parameter(click_url, 'msclkid') then visit_by('bing', 'cpc')
            when has_parameter(click_url, 'ttclid') then visit_by('tiktok', 'paid')
            when has_parameter(click_url, 'twclid') then visit_by('twitter', 'paid')
            when has_parameter(click_url, 'li_fat_id') then visit_by('linkedin', 'paid')
            else visit_by('facebook', '(not set)')
        end
        when external_host is not null
        then visit_by(
            coalesce(site.name, external_host),
            coalesce(case when site.kind = 'search' then 'organic' else site.kind end, 'referral')
        )
        else visit_by('(direct)', '(none)')
    end as visit
from (select *, listed(external_host) as site from grouped)
left join engagement using (session_id)
left join step_1 using (session_id)
left join step_2 using (session_id)
left join step_3 using (session_id)
left join step_4 using (session_id);

create temp table sessions as
with cleaned as (
    select
        visit, clean_host(visit.source) as source, lower(trim(visit.medium)) as medium,
        lower(trim(visit.campaign)) as campaign
    from (select distinct visit from summaries)
),
known as (
    select c.*, coalesce(n.kind, listed(source).kind, '') as kind
    from cleaned c left join source_names n on c.source = n.name
),
judged as (
    select
        *,
        regexp_matches(medium, '^(.*cp.*|ppc|retargeting|paid.*)$') as is_paid,
        kind = 'shopping' or regexp_matches(campaign, '^(.*(([^a-df-z]|^)shop|shopping).*)$') as is_shopping
    from known
),
channels as (
    select
        visit,
        case
            when coalesce(source in ('(direct)', '(not set)'), true) and medium in ('(not set)', '(none)', '')
                and (source = '(direct)' or campaign in ('(not set)', ''))
            then 'Direct'
            when contains(campaign, 'cross-network') then 'Cross-network'
            when is_shopping and is_paid then 'Paid Shopping'
            when kind = 'search' and is_paid then 'Paid Search'
            when kind = 'social' and is_paid then 'Paid Social'
            when kind = 'video' and is_paid then 'Paid Video'
            when medium in ('display', 'banner', 'expandable', 'interstitial', 'cpm') then 'Display'
            when is_paid then 'Paid Other'
            when is_shopping then 'Organic Shopping'
            when kind = 'social' or medium in (
                'social', 'social-network', 'social-media', 'sm', 'social network', 'social media'
            ) then 'Organic Social'
            when kind = 'video' or contains(medium, 'video') then 'Organic Video'
            when kind = 'search' or medium = 'organic' then 'Organic Search'
            when kind = 'ai' then 'AI Assistants'
            when kind = 'email' or source in ('email', 'e-mail', 'e_mail', 'e mail')
                or medium in ('email', 'e-mail', 'e_mail', 'e mail')
            then 'Email'
            when medium = 'affiliate' then 'Affiliates'
            when medium = 'audio' then 'Audio'
            when source = 'sms' or medium = 'sms' then 'SMS'
            when regexp_matches(medium, 'push$|mobile|notification') or source = 'firebase' then 'Mobile Push'
            when medium in ('referral', 'app', 'link') or source not in ('(not set)', '(direct)') then 'Referral'
            else 'Unassigned'
        end as channel
    from judged
)
select
    s.* exclude (visit), s.visit.source as source, s.visit.medium as medium, s.visit.campaign as campaign, c.channel
from summaries s join channels c using (visit);

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
        * replace (
            coalesce(tax, 0) as tax, coalesce(shipping, 0) as shipping, coalesce(discount, 0) as discount
        ),
        consent_analytics is not distinct from 'granted' as is_consented,
        (sum(({'goods': goods, 'currency': currency} is distinct from first_one)::integer)
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
    p.user_id, p.currency, p.goods as value, p.tax, p.shipping, p.discount,
    (p.goods + p.tax + p.shipping)::decimal(18,4) as gross_revenue,
    coalesce(r.refunded, 0)::decimal(18,4) as refunded,
    p.goods - coalesce(r.refunded, 0) as net_revenue,
    p.coupon, p.items, r.refunds,
    p.goods > 0 and coalesce(r.refunded, 0) = p.goods as is_cancelled,
    p.is_bot, p.is_consented, p.has_order_id, p.repeats::integer as repeats, p.conflicts,
    p.country, p.country_name, p.continent, p.device_type, d.event_dates
from dates d left join purchases p using (order_id) left join refunds r using (order_id);

copy (select *, 'run' as run_id, getvariable('now') as written_at from orders)
to 'out/orders.parquet' (format parquet, compression zstd);

-- step: visitor days and identity
create temp table visitor_days as
select
    event_date, visitor_id, min(occurred_at) as first_active_at, max(occurred_at) as last_active_at,
    count(*)::integer as active_events
from events
where visitor_id is not null and not is_bot and not is_test and event_type not in ('page_leave', 'page_ping')
group by event_date, visitor_id;

copy (
    select *, event_date.strftime('%Y-%m') as month, 'run' as run_id, getvariable('now') as written_at
    from visitor_days
) to 'out/visitor_days' (format parquet, compression zstd, partition_by (month));

create temp table identity as
with verified as (
    select
        visitor_id, occurred_at, event_id, ts_date, user_id,
        lag(user_id) over (partition by visitor_id order by occurred_at, event_id, ts_date) as before
    from events
    where user_id is not null and visitor_id is not null and not is_test and not is_bot
)
select
    visitor_id,
    case when before is null then occurred_at - interval 30 days else occurred_at end as valid_from,
    arg_max(user_id, {'occurred_at': occurred_at, 'event_id': event_id, 'ts_date': ts_date}) as person_id
from verified
where before is distinct from user_id
group by visitor_id, valid_from;

copy (select *, 'run' as run_id, getvariable('now') as written_at from identity)
to 'out/identity.parquet' (format parquet, compression zstd);

-- step: daily_traffic
create temp table daily_traffic as
with narrowed as (
    select
        event_date, visitor_id, country, continent, device_type, browser, os, event_type,
        count_if(not is_bot) as events,
        count_if(not is_bot and event_type = 'page_view') as page_views,
        count_if(not is_bot and event_type = 'view_item') as product_views,
        count_if(not is_bot and consent_analytics is distinct from 'granted') as not_consented_events,
        count_if(is_bot) as bot_events,
        count(set_aside_session_id) as set_aside_events,
        count_if(
            case
                when set_aside_session_id is not null
                then set_aside_session_id = substring(sha256(concat_ws(chr(10), visitor_id, event_id, ts_date)), 1, 32)
            end
        ) as set_aside_sessions,
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
        {'dimension': 'browser', 'value': browser}, {'dimension': 'os', 'value': os},
        {'dimension': 'channel', 'value': channel}, {'dimension': 'source', 'value': source}
    ]) as pair
    from with_order
),
of_sessions as (
    select
        session_date as event_date, pair.dimension as dimension, coalesce(pair.value, '(not set)') as value,
        -- Channel and source rows have no events of their own: theirs are the sessions'.
        sum(events) filter (pair.dimension in ('channel', 'source')) as session_events,
        sum(page_views) filter (pair.dimension in ('channel', 'source')) as session_page_views,
        sum(product_views) filter (pair.dimension in ('channel', 'source')) as session_product_views,
        count(distinct visitor_id) filter (pair.dimension in ('channel', 'source')) as session_visitors,
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
from (
    select
        * exclude (session_events, session_page_views, session_product_views, session_visitors) replace (
            coalesce(events, session_events) as events,
            coalesce(page_views, session_page_views) as page_views,
            coalesce(product_views, session_product_views) as product_views,
            coalesce(visitors, session_visitors) as visitors
        )
    from of_events full join of_sessions using (event_date, dimension, value)
);

copy (
    select *, event_date.strftime('%Y-%m') as month, 'run' as run_id, getvariable('now') as written_at
    from daily_traffic
) to 'out/daily_traffic' (format parquet, compression zstd, partition_by (month));

-- step: daily_active
create temp table daily_active as
with spans as (
    select
        visitor_id, valid_from, person_id,
        lead(valid_from) over (partition by visitor_id order by valid_from) as valid_until
    from identity
),
-- Before its first owner a visitor stands for itself.
owners as (
    select visitor_id, person_id, valid_from, coalesce(valid_until, timestamp 'infinity') as valid_until from spans
    union all
    select visitor_id, visitor_id, timestamp '-infinity', min(valid_from) from identity group by visitor_id
),
person_days as (
    select distinct event_date, coalesce(o.person_id, d.visitor_id) as person_id
    from visitor_days d
    left join owners o on d.visitor_id = o.visitor_id
        and d.last_active_at >= o.valid_from and d.first_active_at < o.valid_until
),
active as (
    select 'visitor' as kind, visitor_id as who, event_date from visitor_days
    union all
    select 'person', person_id, event_date from person_days
),
until_next as (
    select kind, event_date, lead(event_date) over (partition by kind, who order by event_date) as next_date
    from active
),
days as (
    select unnest(generate_series(min(event_date), max(event_date), interval 1 day))::date as event_date
    from daily_traffic
)
-- Up to a day, each visitor and person counts by the last active one.
select
    d.event_date,
    count_if(kind = 'visitor' and a.event_date = d.event_date)::bigint as visitors,
    count_if(kind = 'visitor' and a.event_date > d.event_date - 7)::bigint as visitors_7d,
    count_if(kind = 'visitor')::bigint as visitors_30d,
    count_if(kind = 'person' and a.event_date = d.event_date)::bigint as persons,
    count_if(kind = 'person' and a.event_date > d.event_date - 7)::bigint as persons_7d,
    count_if(kind = 'person')::bigint as persons_30d,
    d.event_date - (select min(event_date) from days) < 29 as is_partial
from days d
left join until_next a on a.event_date between d.event_date - 29 and d.event_date
    and (a.next_date is null or a.next_date > d.event_date)
group by d.event_date;

copy (
    select *, event_date.strftime('%Y-%m') as month, 'run' as run_id, getvariable('now') as written_at
    from daily_active
) to 'out/daily_active' (format parquet, compression zstd, partition_by (month));

-- step: daily_orders and daily_products
create temp table daily_orders as
with known as (
    select
        o.*,
        coalesce(s.channel, case when is_consented then '(not set)' else '(not consented)' end) as channel,
        coalesce(s.source, case when is_consented then '(not set)' else '(not consented)' end) as source
    from orders o left join sessions s using (session_id)
    where ordered_at is not null
),
changes as (
    select
        order_date as event_date, currency, country, continent, device_type, channel, source,
        1 as orders, is_bot::integer as bot_orders, value as goods, tax, shipping, gross_revenue,
        0 as refunds, 0::decimal(18,4) as refunded, value as net_revenue,
        case when is_bot then value else 0 end as bot_net_revenue
    from known
    union all
    select
        r.refund_date, currency, country, continent, device_type, channel, source, 0, 0, 0, 0, 0, 0, 1, r.value,
        -r.value, case when is_bot then -r.value else 0 end
    from (select *, unnest(refunds) as r from known)
),
pairs as (
    select *, unnest([
        {'dimension': 'total', 'value': 'all'}, {'dimension': 'country', 'value': country},
        {'dimension': 'continent', 'value': continent}, {'dimension': 'device_type', 'value': device_type},
        {'dimension': 'channel', 'value': channel}, {'dimension': 'source', 'value': source}
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

copy (
    select *, event_date.strftime('%Y-%m') as month, 'run' as run_id, getvariable('now') as written_at
    from daily_orders
) to 'out/daily_orders' (format parquet, compression zstd, partition_by (month));

create temp table daily_products as
with touched as (
    select session_id, event_type, occurred_at, event_id, unnest(items) as item
    from events
    where session_id is not null
        and event_type in ('view_item_list', 'select_item', 'view_item', 'add_to_cart', 'purchase')
),
pairs as (
    select
        session_id, item.product_id as product_id,
        bool_or(event_type = 'view_item_list') as is_listed, bool_or(event_type = 'select_item') as is_clicked,
        bool_or(event_type = 'view_item') as is_viewed, bool_or(event_type = 'add_to_cart') as is_added,
        bool_or(event_type = 'purchase') as is_bought,
        max({'at': occurred_at, 'id': event_id, 'name': item.name}) filter (item.name is not null) as last_name,
        max({'at': occurred_at, 'id': event_id, 'category': item.category}) filter (item.category is not null)
            as last_category
    from touched where item.product_id is not null
    group by session_id, item.product_id
)
select
    session_date as event_date, product_id, '' as currency, max(last_name).name as product_name,
    max(last_category).category as category, count_if(is_listed)::bigint as impressions,
    count_if(is_listed and is_clicked)::bigint as clicks, count_if(is_viewed)::bigint as views,
    count_if(is_viewed and is_added)::bigint as carts,
    count_if(not is_viewed and is_added)::bigint as carts_without_view,
    count_if(is_viewed and is_bought)::bigint as purchases, 0 as quantity, 0::decimal(18,4) as revenue
from pairs join sessions using (session_id)
group by session_date, product_id
union all
select
    order_date, item.product_id, coalesce(currency, 'EUR'),
    (max({'at': ordered_at, 'id': order_id, 'name': item.name}) filter (item.name is not null)).name,
    (max({'at': ordered_at, 'id': order_id, 'category': item.category}) filter (item.category is not null)).category,
    0, 0, 0, 0, 0, 0, sum(coalesce(item.qty, 1))::bigint,
    sum(item.price * coalesce(item.qty, 1))::decimal(18,4)
from (select *, unnest(items) as item from orders where ordered_at is not null)
where item.product_id is not null
group by order_date, item.product_id, coalesce(currency, 'EUR');

copy (select *, 'run' as run_id, getvariable('now') as written_at from daily_products)
to 'out/daily_products' (format parquet, compression zstd, partition_by (event_date));

-- step: quarantine, repeats, objects
create temp table repeats as
select
    object, (row_id - first_row + 1)::integer as line, object_date, event_id, ts_date, ingest_id, position
from (
    select row_id, object, event_id, ts_date, ingest_id, position from copies where is_repeat
    union all
    select row_id, object, null, null, ingest_id, position from refused where is_repeat
) join objects using (object);

copy (
    select *, object_date.strftime('%Y-%m') as month, 'run' as run_id, getvariable('now') as written_at
    from repeats
) to 'out/repeats' (format parquet, compression zstd, partition_by (month));

create temp table quarantine as
select
    ingest_id, position, received_at, received_date, reason, field, null::varchar as raw_line, object,
    (row_id - first_row + 1)::integer as line
from refused join objects using (object)
where not is_repeat;

copy (select *, 'run' as run_id, getvariable('now') as written_at from quarantine)
to 'out/quarantine.parquet' (format parquet, compression zstd);

copy (
    select
        * exclude (first_row), null::varchar as error, object_date.strftime('%Y-%m') as month, 'run' as run_id,
        getvariable('now') as written_at
    from objects
) to 'out/ingested_objects' (format parquet, compression zstd, partition_by (month));

-- step: check the ledger
-- As the job does, in what was written.
with outcomes as (
    select object, line from read_parquet('out/events/**/*.parquet')
    union all
    select object, line from repeats
    union all
    select object, line from quarantine
),
of_objects as (
    select object, count(*) as outcomes, count(distinct line) as lines_with_outcome from outcomes group by object
),
faults as (
    select 'lines without exactly one outcome: ' || object as fault
    from objects left join of_objects using (object)
    where (coalesce(outcomes, 0), coalesce(lines_with_outcome, 0)) <> (lines - lines_lost, lines - lines_lost)
    union all
    select 'stored more than once: ' || event_id from read_parquet('out/events/**/*.parquet')
    group by event_id, ts_date having count(*) > 1
)
select error(fault) from faults;

copy (
    select
        *, lines = lines_lost + lines_quarantined + lines_stored + lines_duplicate as is_balanced,
        0 as objects_failed, 0 as lines_erased, lines as total_lines, lines_lost as total_lost, 0 as total_erased,
        lines_quarantined as total_quarantined, lines_stored as total_stored, lines_duplicate as total_duplicate,
        'run' as run_id, 'refresh' as command, getvariable('now') as started_at,
        localtimestamp::timestamp as completed_at
    from (
        select
            max(max_received_at) as as_of, count(*) as objects, sum(bytes)::bigint as bytes,
            sum(lines)::bigint as lines, sum(lines_lost)::bigint as lines_lost
        from objects
    ),
    (select count(*) as lines_quarantined from quarantine),
    (select count(*) as lines_stored from events),
    (select count(*) as lines_duplicate from repeats),
    (select max(event_date) as today from daily_traffic),
    -- A session may have begun a day before its order; in UTC every day has 24 hours.
    (
        select min(day) as first_touched
        from (select event_date as day from daily_traffic union all select order_date - 1 from orders)
    )
) to 'out/refresh_runs.parquet' (format parquet, compression zstd);
