/* Files and paths: whole-file reads and writes, descriptors that close. */
#ifndef AFTERWORK_BASE_PATH_H
#define AFTERWORK_BASE_PATH_H

#include "common/base/buf.h"

/* Closes *fd when it is not -1; for CLEANUP. */
void fd_close(int *fd);
#define AUTO_FD CLEANUP(fd_close) int

/* Append the file's bytes to ret; at most max_bytes (ERR_TOO_LARGE), a
 * missing file is ERR_NOT_FOUND.  The path is in the message: not for
 * clients. */
bool path_read(const char *path, size_t max_bytes, struct buf *ret,
    struct err *e) MUSTCHECK;

/* All n bytes to fd, however often write() is interrupted or short. */
bool fd_write_all(int fd, const void *p, size_t n, struct err *e) MUSTCHECK;

/* Make the folder and its parents (mode 0750); an existing one is fine. */
bool path_mkdirs(const char *path, struct err *e) MUSTCHECK;

/*
 * Open a file for reading and writing that all who may write to the folder
 * share, and make it, and the folder, if need be.  It belongs to the folder's
 * owner and group, whoever comes first: the functions' user, or root with the
 * operator's command.
 */
bool path_open_shared(
    const char *dir, const char *name, int *ret_fd, struct err *e) MUSTCHECK;

/* Folder of the running executable, without a trailing slash; given to the
 * caller (free). NULL when /proc is not there. */
char *path_self_dir(void) MUSTCHECK;

#endif
