/* A V4L2 camera that is a file.
 *
 * Preloaded into a program, it makes the file named by FAKE_CAMERA a camera:
 * open, ioctl, mmap and poll of it are answered here. The file says what the
 * camera is and what is wrong with it, one "key value" a line, read anew each
 * time it is opened:
 *
 *   format MJPG        its one format
 *   width 320          its first size
 *   height 240
 *   frames DIR         files 0, 1, 2, ... shown in turn
 *   count 3            how many there are
 *   more_width 640     its second size, if it has one
 *   more_height 480
 *   more_frames DIR    as many files, shown in that size
 *   fps 30             what it says of its rate
 *   frame_us 33333     time between two frames by their stamps, which have nothing
 *                      to do with the time that passes; no stamps if it is 0
 *   colorspace 8       as in struct v4l2_pix_format, and so the next two
 *   ycbcr_enc 0
 *   quantization 0
 *   agreed 160         S_FMT answers with this width
 *   damaged 1          frames are marked as faulty
 *   silent 1           no frame ever comes
 *   busy 1             another program has it
 *   denied 1           it may not be opened
 *   vanish_after 4     after so many frames it is pulled out: the file goes
 *
 * A control, "Gain" from 0 to 100 in steps of 5, writes what it is set to into
 * the file FAKE_CAMERA.gain. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS_MAX 8
#define FRAME_BYTES_MAX (4 << 20)
#define FRAME_PAUSE_NS 2000000L
#define GAIN_ID 0x00980913u

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static long (*real_syscall)(long, ...);
static int (*real_poll)(struct pollfd *, nfds_t, int);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);

static struct {
    int fd; /* -1 while it is closed */
    char path[PATH_MAX];
    char frames[PATH_MAX], more_frames[PATH_MAX];
    char format[8];
    long more_width, more_height, fps, frame_us, is_more;
    long width, height, count, colorspace, ycbcr_enc, quantization;
    long agreed, damaged, silent, busy, denied, vanish_after;
    long seen;
    int is_gone, is_streaming;
    void *buffers[BUFFERS_MAX];
    int queued[BUFFERS_MAX], queue_length;
    struct timespec next_frame;
} camera = {.fd = -1};

__attribute__((constructor)) static void find_the_real_ones(void) {
    real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    real_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
    real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    real_poll = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
    real_mmap = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
}

static long *number(const char *key) {
    static const struct {
        const char *key;
        long *value;
    } keys[] = {
        {"width", &camera.width},
        {"height", &camera.height},
        {"count", &camera.count},
        {"more_width", &camera.more_width},
        {"more_height", &camera.more_height},
        {"frame_us", &camera.frame_us},
        {"fps", &camera.fps},
        {"colorspace", &camera.colorspace},
        {"ycbcr_enc", &camera.ycbcr_enc},
        {"quantization", &camera.quantization},
        {"agreed", &camera.agreed},
        {"damaged", &camera.damaged},
        {"silent", &camera.silent},
        {"busy", &camera.busy},
        {"denied", &camera.denied},
        {"vanish_after", &camera.vanish_after},
    };
    for (size_t at = 0; at < sizeof keys / sizeof keys[0]; at++)
        if (strcmp(keys[at].key, key) == 0)
            return keys[at].value;
    return NULL;
}

static void describe(int fd) {
    char text[4096], *line, *rest = text;
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = 0;
    memset(camera.format, 0, sizeof camera.format);
    camera.width = camera.height = camera.count = camera.ycbcr_enc = 0;
    camera.more_width = camera.more_height = camera.is_more = 0;
    camera.fps = 30;
    camera.frame_us = 33333;
    camera.colorspace = 8;
    camera.quantization = camera.agreed = camera.damaged = camera.silent = 0;
    camera.busy = camera.denied = camera.vanish_after = 0;
    camera.seen = camera.is_gone = camera.is_streaming = camera.queue_length = 0;
    while ((line = strsep(&rest, "\n"))) {
        char key[32], value[PATH_MAX];
        if (sscanf(line, "%31s %4095s", key, value) != 2)
            continue;
        if (strcmp(key, "format") == 0)
            snprintf(camera.format, sizeof camera.format, "%.4s", value);
        else if (strcmp(key, "frames") == 0)
            snprintf(camera.frames, sizeof camera.frames, "%s", value);
        else if (strcmp(key, "more_frames") == 0)
            snprintf(camera.more_frames, sizeof camera.more_frames, "%s", value);
        else if (number(key))
            *number(key) = atol(value);
    }
}

static int is_camera(const char *path) {
    const char *node = getenv("FAKE_CAMERA");
    return node && strcmp(path, node) == 0;
}

static int open_as(const char *path, int flags, mode_t mode) {
    int fd = real_open(path, flags, mode);
    if (fd < 0 || !is_camera(path))
        return fd;
    describe(fd);
    if (camera.denied) {
        real_close(fd);
        errno = EACCES;
        return -1;
    }
    camera.fd = fd;
    snprintf(camera.path, sizeof camera.path, "%s", path);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_as(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_as(path, flags | O_LARGEFILE, mode);
}

int close(int fd) {
    if (fd >= 0 && fd == camera.fd)
        camera.fd = -1;
    return real_close(fd);
}

static uint32_t fourcc(void) {
    const char *format = camera.format;
    return v4l2_fourcc(format[0], format[1], format[2], format[3]);
}

static void set_format(struct v4l2_pix_format *pix) {
    uint32_t code = fourcc(), per_pixel = code == V4L2_PIX_FMT_YUYV                                  ? 2
                                          : code == V4L2_PIX_FMT_RGB24 || code == V4L2_PIX_FMT_BGR24 ? 3
                                                                                                     : 1;
    camera.is_more = camera.more_width && pix->width == camera.more_width;
    pix->width = camera.agreed    ? camera.agreed
                 : camera.is_more ? camera.more_width
                                  : camera.width;
    pix->height = camera.is_more ? camera.more_height : camera.height;
    pix->pixelformat = code;
    pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = code == V4L2_PIX_FMT_MJPEG ? 0 : pix->width * per_pixel;
    pix->sizeimage = FRAME_BYTES_MAX;
    pix->colorspace = camera.colorspace;
    pix->ycbcr_enc = camera.ycbcr_enc;
    pix->quantization = camera.quantization;
}

/* The next frame, in the buffer that was queued first. */
static int dequeue(struct v4l2_buffer *buffer) {
    char name[PATH_MAX + 32];
    if (!camera.is_streaming || camera.queue_length == 0)
        return EINVAL;
    int index = camera.queued[0];
    memmove(camera.queued, camera.queued + 1, --camera.queue_length * sizeof camera.queued[0]);
    snprintf(name, sizeof name, "%s/%ld", camera.is_more ? camera.more_frames : camera.frames,
             camera.seen % camera.count);
    int file = real_open(name, O_RDONLY);
    ssize_t length = file < 0 ? -1 : read(file, camera.buffers[index], FRAME_BYTES_MAX);
    real_close(file);
    buffer->index = index;
    buffer->bytesused = length < 0 ? 0 : length;
    buffer->flags = camera.damaged ? V4L2_BUF_FLAG_ERROR : 0;
    buffer->sequence = camera.seen++;
    /* Days after the start of the machine. */
    if (camera.frame_us) {
        buffer->timestamp.tv_sec = 200000 + camera.seen * camera.frame_us / 1000000;
        buffer->timestamp.tv_usec = camera.seen * camera.frame_us % 1000000;
    }
    clock_gettime(CLOCK_MONOTONIC, &camera.next_frame);
    camera.next_frame.tv_nsec += FRAME_PAUSE_NS;
    if (camera.next_frame.tv_nsec >= 1000000000L) {
        camera.next_frame.tv_sec++;
        camera.next_frame.tv_nsec -= 1000000000L;
    }
    if (camera.vanish_after && camera.seen >= camera.vanish_after) {
        camera.is_gone = 1;
        unlink(camera.path);
    }
    return 0;
}

static int set_gain(const struct v4l2_control *control) {
    char name[PATH_MAX + 8];
    if (control->id != GAIN_ID || control->value < 0 || control->value > 100)
        return ERANGE;
    snprintf(name, sizeof name, "%s.gain", camera.path);
    FILE *file = fopen(name, "w");
    if (!file)
        return EIO;
    fprintf(file, "%d", control->value);
    return fclose(file) ? EIO : 0;
}

/* An error number, or 0. */
static int answer(unsigned long request, void *argument) {
    if (camera.is_gone)
        return ENODEV;
    switch ((uint32_t)request) {
    case (uint32_t)VIDIOC_QUERYCAP: {
        struct v4l2_capability *about = argument;
        strcpy((char *)about->driver, "fake");
        strcpy((char *)about->card, "Camera made of a file");
        about->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
        about->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    }
    case (uint32_t)VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *format = argument;
        format->pixelformat = fourcc();
        return format->index ? EINVAL : 0;
    }
    case (uint32_t)VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *size = argument;
        size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        size->discrete.width = size->index ? camera.more_width : camera.width;
        size->discrete.height = size->index ? camera.more_height : camera.height;
        return size->index > (camera.more_width ? 1 : 0) ? EINVAL : 0;
    }
    case (uint32_t)VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *rate = argument;
        rate->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        rate->discrete.numerator = 1;
        rate->discrete.denominator = camera.fps;
        return rate->index ? EINVAL : 0;
    }
    case (uint32_t)VIDIOC_S_FMT:
        set_format(&((struct v4l2_format *)argument)->fmt.pix);
        return 0;
    case (uint32_t)VIDIOC_QUERY_EXT_CTRL: {
        struct v4l2_query_ext_ctrl *control = argument;
        if ((control->id & V4L2_CTRL_ID_MASK) >= GAIN_ID)
            return EINVAL;
        control->id = GAIN_ID;
        control->type = V4L2_CTRL_TYPE_INTEGER;
        strcpy(control->name, "Gain");
        control->maximum = 100;
        control->step = 5;
        return 0;
    }
    case (uint32_t)VIDIOC_S_CTRL:
        return set_gain(argument);
    case (uint32_t)VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *request = argument;
        if (camera.busy)
            return EBUSY;
        if (request->count > BUFFERS_MAX)
            request->count = BUFFERS_MAX;
        return 0;
    }
    case (uint32_t)VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = argument;
        buffer->length = FRAME_BYTES_MAX;
        buffer->m.offset = buffer->index * FRAME_BYTES_MAX;
        return 0;
    }
    case (uint32_t)VIDIOC_QBUF: {
        struct v4l2_buffer *buffer = argument;
        for (int at = 0; at < camera.queue_length; at++)
            if (camera.queued[at] == (int)buffer->index)
                return EINVAL;
        if (buffer->index >= BUFFERS_MAX || camera.queue_length >= BUFFERS_MAX)
            return EINVAL;
        camera.queued[camera.queue_length++] = buffer->index;
        return 0;
    }
    case (uint32_t)VIDIOC_DQBUF:
        return dequeue(argument);
    case (uint32_t)VIDIOC_STREAMON:
        camera.is_streaming = 1;
        return 0;
    case (uint32_t)VIDIOC_STREAMOFF:
        camera.is_streaming = camera.queue_length = 0;
        return 0;
    default:
        return ENOTTY;
    }
}

static int answered(unsigned long request, void *argument) {
    int error = answer(request, argument);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    if (fd >= 0 && fd == camera.fd)
        return answered(request, argument);
    return real_syscall(SYS_ioctl, fd, request, argument);
}

long syscall(long number, ...) {
    long at[6];
    va_list more;
    va_start(more, number);
    for (int index = 0; index < 6; index++)
        at[index] = va_arg(more, long);
    va_end(more);
    if (number == SYS_ioctl && (int)at[0] >= 0 && (int)at[0] == camera.fd)
        return answered(at[1], (void *)at[2]);
    return real_syscall(number, at[0], at[1], at[2], at[3], at[4], at[5]);
}

static void *mapped(void *start, size_t length, int protection, int flags, int fd, off_t offset) {
    if (fd < 0 || fd != camera.fd)
        return real_mmap(start, length, protection, flags, fd, offset);
    void *memory =
        real_mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        camera.buffers[offset / FRAME_BYTES_MAX] = memory;
    return memory;
}

void *mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset) {
    return mapped(start, length, protection, flags, fd, offset);
}

void *mmap64(void *start, size_t length, int protection, int flags, int fd, off_t offset) {
    return mapped(start, length, protection, flags, fd, offset);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
    if (count != 1 || fds->fd < 0 || fds->fd != camera.fd)
        return real_poll(fds, count, timeout_ms);
    if (camera.is_gone || !camera.is_streaming) {
        fds->revents = POLLERR;
        return 1;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long left_ns = (camera.next_frame.tv_sec - now.tv_sec) * 1000000000L +
                   camera.next_frame.tv_nsec - now.tv_nsec;
    if (left_ns < 0)
        left_ns = 0;
    if (camera.silent || (timeout_ms >= 0 && left_ns > timeout_ms * 1000000L)) {
        usleep(timeout_ms * 1000);
        return 0;
    }
    usleep(left_ns / 1000);
    fds->revents = POLLIN;
    return 1;
}
