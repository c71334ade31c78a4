. tests/lib.sh
. tests/crash/crash.bash
points_open
stack_start RUNNER_SLOTS=2
set_point handler.stop
enqueue noop
await_stopped handler
cat /proc/locks
ls -i $STATE/runtime
slots_held
kill -CONT $stopped
sleep 1; slots_held
