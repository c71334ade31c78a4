#!/bin/bash
# schedule-time.t: which moments a cron expression means in a time zone, on days
# when the clock changes and on those when it does not.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone schedule_time

# slots ZONE CRON FROM UNTIL: in UTC, as "day hour:minute".
slots() {
	sql "SELECT string_agg(to_char(s AT TIME ZONE 'UTC', 'DD HH24:MI'), ', ' ORDER BY s)
		FROM afterwork.cron_slots(afterwork.cron_parse('$2'), '$1', '$3Z', '$4Z') AS s" 2>&1
}

# ZONE | CRON | AFTER | UNTIL | SLOTS | WHAT, times in UTC
while IFS='|' read -r zone cron from until want what; do
	[ -n "$zone" ] || continue
	is "$(slots "$zone" "$cron" "$from" "$until")" "$want" "$zone, $cron: $what"
done <<'END'
UTC|0 7 * * *|2025-03-29 00:00|2025-03-31 07:00|29 07:00, 30 07:00, 31 07:00|every day
UTC|0 7 * * *|2025-03-29 07:00|2025-03-30 06:59||after one moment, up to another
UTC|* * * * *|2025-03-30 00:58|2025-03-30 01:01|30 00:59, 30 01:00, 30 01:01|no clock changes
UTC|0 0 29 2 *|2023-01-01 00:00|2028-12-31 00:00|29 00:00, 29 00:00|29 February comes twice in six years
UTC|0 7 13 * 5|2025-06-12 00:00|2025-06-28 00:00|13 07:00, 20 07:00, 27 07:00|the 13th and fridays
UTC|0 7 */2 * 1|2025-06-01 00:00|2025-06-30 12:00|09 07:00, 23 07:00|mondays with an odd date
UTC|0 7 * * 7|2025-06-01 00:00|2025-06-09 00:00|01 07:00, 08 07:00|7 is sunday
Europe/Ljubljana|0 7 * * *|2025-03-28 12:00|2025-03-31 12:00|29 06:00, 30 05:00, 31 05:00|spring, a time that the change leaves alone
Europe/Ljubljana|30 2 * * *|2025-03-28 12:00|2025-03-31 12:00|29 01:30, 30 01:00, 31 00:30|spring, in the gap: when it ends
Europe/Ljubljana|*/10 2 * * *|2025-03-29 12:00|2025-03-30 12:00|30 01:00|spring, six in the gap: one
Europe/Ljubljana|0,30 2,3 * * *|2025-03-29 12:00|2025-03-30 12:00|30 01:00, 30 01:30|spring, the gap ends where another is
Europe/Ljubljana|30 * * * *|2025-03-29 23:00|2025-03-30 02:00|29 23:30, 30 00:30, 30 01:30|spring, each hour: every hour
Europe/Ljubljana|*/20 * * * *|2025-03-30 00:20|2025-03-30 01:20|30 00:40, 30 01:00, 30 01:20|spring, minutes go on
Europe/Ljubljana|0 */2 * * *|2025-03-29 23:00|2025-03-30 05:00|30 02:00, 30 04:00|spring, every other hour of the clock
Europe/Ljubljana|30 2 * * *|2025-10-24 12:00|2025-10-27 12:00|25 00:30, 26 00:30, 27 01:30|autumn, twice on the clock: the first time
Europe/Ljubljana|0 3 * * *|2025-10-25 12:00|2025-10-26 12:00|26 02:00|autumn, the hour at which it changes
Europe/Ljubljana|30 * * * *|2025-10-25 23:00|2025-10-26 02:00|25 23:30, 26 00:30, 26 01:30|autumn, each hour: every hour
Europe/Ljubljana|*/30 2 * * *|2025-10-25 12:00|2025-10-26 12:00|26 00:00, 26 00:30|autumn, fixed hour: once each
Europe/Ljubljana|30 0-23 * * *|2025-10-25 23:00|2025-10-26 02:00|25 23:30, 26 00:30|autumn, all hours by name are fixed hours
America/New_York|30 2 * * *|2025-03-08 00:00|2025-03-10 12:00|08 07:30, 09 07:00, 10 06:30|spring
America/New_York|30 1 * * *|2025-11-01 00:00|2025-11-03 12:00|01 05:30, 02 05:30, 03 06:30|autumn
America/New_York|30 * * * *|2025-11-02 05:00|2025-11-02 07:00|02 05:30, 02 06:30|autumn, each hour
America/New_York|0 0 29 2 *|2024-02-01 00:00|2024-03-31 00:00|29 05:00|29 February
Australia/Lord_Howe|15 2 * * *|2025-10-03 00:00|2025-10-05 23:00|03 15:45, 04 15:30, 05 15:15|spring, half an hour
Australia/Lord_Howe|45 2 * * *|2025-10-03 00:00|2025-10-05 23:00|03 16:15, 04 15:45, 05 15:45|spring, behind the gap
Australia/Lord_Howe|45 1 * * *|2025-04-04 00:00|2025-04-06 23:00|04 14:45, 05 14:45, 06 15:15|autumn, half an hour: the first time
Australia/Lord_Howe|*/15 * * * *|2025-04-05 14:30|2025-04-05 15:45|05 14:45, 05 15:00, 05 15:15, 05 15:30, 05 15:45|autumn, minutes go on
Africa/Cairo|30 0 * * *|2025-04-23 00:00|2025-04-26 00:00|23 22:30, 24 22:00, 25 21:30|a gap at midnight
Africa/Cairo|30 23 * * *|2025-10-29 00:00|2025-11-01 00:00|29 20:30, 30 20:30, 31 21:30|midnight comes twice: the first time
Africa/Cairo|0 0 31 10 *|2025-10-01 00:00|2025-11-30 00:00|30 22:00|and the day begins once
America/Havana|0 0 * * *|2025-03-08 00:00|2025-03-10 12:00|08 05:00, 09 05:00, 10 04:00|midnight in the gap
America/Havana|15 0 * * *|2025-11-01 00:00|2025-11-03 12:00|01 04:15, 02 04:15, 03 05:15|after midnight, twice
Pacific/Apia|0 12 * * *|2011-12-28 12:00|2012-01-01 00:00|28 22:00, 29 22:00, 30 10:00, 30 22:00, 31 22:00|a day that was left out
Asia/Kathmandu|0 0 * * *|2025-06-01 00:00|2025-06-02 00:00|01 18:15|three quarters of an hour
END

# The same question put another way: go through a year minute by minute and look
# at the clock.
while IFS='|' read -r zone year; do
	while read -r cron; do
		is "$(sql "WITH c AS (SELECT (afterwork.cron_parse('$cron')).*),
			minute AS (
				SELECT t, t AT TIME ZONE '$zone' AS shown,
				    (t - interval '1 minute') AT TIME ZONE '$zone' AS before
				FROM generate_series('$year-01-01Z'::timestamptz,
				    '$year-12-31Z', '1 minute') AS t),
			ranked AS (
				SELECT t, shown, before, row_number() OVER (
				    PARTITION BY shown ORDER BY t) AS nth FROM minute),
			-- What the clock shows each minute, and what it leaves out.
			seen AS (
				SELECT t, shown, nth, false AS gap FROM ranked
				UNION ALL
				SELECT r.t, g, 1, true FROM ranked r,
				    generate_series(r.before + interval '1 minute',
				        r.shown - interval '1 minute', '1 minute') AS g
				WHERE r.shown > r.before + interval '1 minute'),
			want AS (
				SELECT DISTINCT s.t FROM seen s, c
				WHERE extract(minute FROM shown)::integer = ANY (c.minutes)
				  AND extract(hour FROM shown)::integer = ANY (c.hours)
				  AND extract(month FROM shown)::integer = ANY (c.months)
				  AND extract(day FROM shown)::integer = ANY (c.days)
				  AND extract(dow FROM shown)::integer = ANY (c.weekdays)
				  AND CASE WHEN c.each_hour THEN NOT gap ELSE nth = 1 END),
			got AS (
				SELECT s FROM afterwork.cron_slots(afterwork.cron_parse('$cron'),
				    '$zone', '$year-01-01Z'::timestamptz - interval '1 minute',
				    '$year-12-31Z') AS s)
			SELECT (SELECT count(*) > 0 FROM got),
			    (SELECT count(*) FROM (TABLE want EXCEPT TABLE got) AS x),
			    (SELECT count(*) FROM (TABLE got EXCEPT TABLE want) AS x)" 2>&1)" \
			't|0|0' "$zone, $cron: nothing is lacking in $year, and nothing too much"
	done <<'END'
*/15 * * * *
7,37 1-3 * * *
*/5 2 * * *
59 23 * 3,4,10 0
END
done <<'END'
Europe/Ljubljana|2025
Australia/Lord_Howe|2025
Pacific/Apia|2011
END

# Next and last look far enough, and not further.
sql_is "SELECT afterwork.cron_next(afterwork.cron_parse('0 0 29 2 */7'), 'UTC', '2088-02-29Z') AT TIME ZONE 'UTC'" \
	'2128-02-29 00:00:00' '29 February on a sunday: the next is 40 years off'
sql_is "SELECT afterwork.cron_next(afterwork.cron_parse('0 0 30 2 *'), 'UTC', '2025-01-01Z')" \
	infinity '30 February never comes'
sql_is "SELECT afterwork.cron_last(afterwork.cron_parse('0 0 29 2 *'), 'UTC', '2001-01-01Z', '2024-02-28 23:59Z') AT TIME ZONE 'UTC'" \
	'2020-02-29 00:00:00' 'the last one, years ago'
sql_is "SELECT afterwork.cron_last(afterwork.cron_parse('0 0 29 2 *'), 'UTC', '2020-02-29Z', '2024-02-28 23:59Z') IS NULL" \
	t 'or none since then'
sql_is "SELECT array_to_string(afterwork.cron_first(afterwork.cron_parse('0 0 1 1 *'), 'UTC', '2020-01-01Z', '2025-06-01Z', 3), ' ')" \
	"$(sql "SELECT concat_ws(' ', '2021-01-01Z'::timestamptz, '2022-01-01Z'::timestamptz, '2023-01-01Z'::timestamptz)")" \
	'the first three'
done_testing
