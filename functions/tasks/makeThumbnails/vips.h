/*
 * libvips' own programs, run one at a time: descriptors in and out, no path,
 * the limits of the task, and only loaders that libvips itself calls fit for
 * files of strangers.
 */
#ifndef AFTERWORK_TASKS_MAKETHUMBNAILS_VIPS_H
#define AFTERWORK_TASKS_MAKETHUMBNAILS_VIPS_H

#include "common/base/err.h"

/* Of the picture as it is shown: turned as its orientation says. */
struct vips_size {
	int64_t width, height;
};

/*
 * What the head of the file says; nothing is decoded.  ERR_INVALID: no picture.
 * ERR_NOT_FOUND: the program is not installed.  ERR_UNAVAILABLE: it was ended.
 */
bool vips_look(int fd, struct vips_size *ret, struct err *e) MUSTCHECK;

/* Write the picture in fd to out as a file with this extension (".jpg"): no
 * larger than width; with a height, as much of its middle as fills both. */
bool vips_shrink(int fd, int out, const char *extension, int width, int height,
    struct err *e) MUSTCHECK;

#endif
