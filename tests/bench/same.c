/* same: a FastCGI function that answers with the bytes of a file. */
#include <fcgiapp.h>

#include "tests/bench/bench.h"

enum { BODY_MAX = 16 * 1024 * 1024 };

int
main(int argc, char **argv)
{
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
	char *body = malloc(BODY_MAX);
	FCGX_Request r;
	size_t n;

	if (f == NULL || body == NULL)
		bench_die("usage: same FILE");
	n = fread(body, 1, BODY_MAX, f);
	(void)fclose(f);
	(void)FCGX_Init();
	(void)FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		(void)FCGX_FPrintF(r.out,
		    "Status: 200 OK\r\nContent-Type: application/json\r\n"
		    "Content-Length: %d\r\n\r\n",
		    (int)n);
		(void)FCGX_PutStr(body, (int)n, r.out);
		FCGX_Finish_r(&r);
	}
	free(body);
	return 0;
}
