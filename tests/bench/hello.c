/* hello: the least FastCGI function. */
#include <fcgiapp.h>

#include "common/base/base.h"

int
main(void)
{
	FCGX_Request r;

	(void)FCGX_Init();
	(void)FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		(void)FCGX_PutS(
		    "Status: 201 Created\r\nContent-Type: "
		    "text/plain\r\nContent-Length: 6\r\n\r\nhello\n",
		    r.out);
		FCGX_Finish_r(&r);
	}
	return 0;
}
