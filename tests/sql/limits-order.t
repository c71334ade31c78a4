#!/bin/bash
# limits-order.t: a job that was let in and then goes away, before anybody
# claimed it, leaves its turn to the next of its key.
. tests/lib.sh
. tests/queue-alone.sh
stack_shared
queue_alone limits_order
task one '"concurrency":{"key":"k","max":1}'

claim() {
	sql "SELECT id FROM afterwork.claim(NULL, '', '{one}', '{one}', 1, 60000)
	    WHERE id IS NOT NULL"
}
finish() {
	sql "SELECT afterwork.settle('default', ARRAY[id], ARRAY[lease_no],
	        '{done}', '{0}', '{1}', '{1}', '{NULL}', '{NULL}', '{NULL}')
	    FROM afterwork.job WHERE id = $1" >/dev/null
}
# Three jobs: the first runs and ends, so that the second is let in, while the
# third is blocked.  Arguments of enqueue() for the second.
line_up() {
	sql 'TRUNCATE afterwork.job, afterwork.place'
	first=$(sql "SELECT afterwork.enqueue('one')")
	second=$(sql "SELECT afterwork.enqueue('one'${1+, $1})")
	third=$(sql "SELECT afterwork.enqueue('one')")
	is "$(claim)$(claim)" "$first" 'the first is claimed, and no other'
	finish "$first"
	sql_is 'SELECT state FROM afterwork.job ORDER BY id' $'ready\nblocked' \
		'then the second is let in'
}

line_up
sql_is "SELECT afterwork.cancel($second)" cancelled 'it is cancelled'
is "$(claim)" "$third" 'the third is next'

line_up "unique_key => 'u'"
sql "SELECT afterwork.enqueue('one', unique_key => 'u', replace => true,
    run_at => now() + interval '1 hour')" >/dev/null
sql_is "SELECT state FROM afterwork.job WHERE id = $second" delayed \
	'it is put off'
is "$(claim)" "$third" 'the third is next'
done_testing
