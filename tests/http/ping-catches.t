#!/bin/bash
# ping-catches.t: what no runner was woken for is caught by the scheduled ping of
# the project's own vercel.json, sent by the project's own pinger.
. tests/lib.sh
is "$(jq -c '[.crons[] | select(.path == "/api/payload-jobs/run?allQueues=true") | .schedule]' \
	vercel.json)" '["* * * * *"]' 'every minute, all queues'
stack_start PINGER=on
sql "INSERT INTO site.page (title, slug, layout) VALUES ('p', 'p',
	    '[{\"id\": \"g\", \"blockType\": \"gallery\"}]');
    INSERT INTO site.gallery (page_id, block_id, auto_sync)
	SELECT id, 'g', true FROM site.page;
    INSERT INTO site.media (filename, storage_key, mime_type, filesize, hash)
	VALUES ('missed.jpg', 'missed', 'image/jpeg', 1, 'x')"
job=$(sql "SELECT afterwork.enqueue('syncMediaToGalleries',
	    jsonb_build_object('mediaId', m.id)) FROM site.media m")
elsewhere=$(sql "SELECT afterwork.enqueue('noop', queue => 'elsewhere')")
sleep 1
sql_is 'SELECT count(*) FROM afterwork.job' 2 'nobody was woken'
ok 'a ping comes within a minute, and runs the job' job_done "$job" 65
ok 'and that of another queue' job_done "$elsewhere" 5
sql_is 'SELECT count(*) FROM site.gallery_image' 1 'the gallery has the picture'
like "$(cat "$STATE/log/run.log")" \
	'"path":"/api/payload-jobs/run".*"status":200.*"caller":"cron"' \
	'by the run endpoint, with the secret'
done_testing
