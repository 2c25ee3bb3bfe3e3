/*
 * A crowd of WebSocket subscribers and one publisher, to measure a server on the loopback interface.
 *
 * One thread and one epoll instance, so that the crowd takes as little as possible from the server beside it.
 * Connection i is in room i % rooms, and event i goes to room i % rooms. In each room "seq" counts the events without a
 * hole, so a gap or a duplicate is seen by whoever gets it, and an event's number follows from its room and seq.
 *
 * Commands come on stdin, one a line, and each is answered on stdout with one line of JSON:
 *
 *   paths FILE          read request paths, one a line; connection i takes line i modulo their number
 *   connect COUNT       open connections until so many are in
 *   once                publish one event and wait until the last has it
 *   closed WINDOW SECS  keep so many events under way: the oldest has reached everybody before one more is published
 *   waves SECS          publish an event in every room with one message, "*", whenever everybody has the last ones;
 *                       before anything else is published
 *   paced RATE SECS     publish at a steady rate, then wait for what is still on its way
 *   publish COUNT       publish while nobody is there
 *   drop                cut off every connection
 *   resume COUNT        open connections again and wait until each has got every event
 *   hold SECS           only answer pings
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    AT_ONCE = 200,          /* handshakes under way */
    MAX_CONNECTIONS = 20000,
    MAX_SAMPLES = 1 << 22,
    MAX_EVENTS = 1 << 16,   /* whose times are remembered */
    MAX_ROOMS = 10000,
    READ_SIZE = 1 << 18,
    HEAD_SIZE = 4096,
};

enum opcode { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };
enum state { CLOSED, CONNECTING, UPGRADING, OPEN };

static const double CONNECT_SECONDS = 120; /* for all of them */

struct text {
    const char *bytes;
    size_t size;
};

struct connection {
    int fd;
    enum state state;
    bool is_in;      /* ready for events */
    bool is_current; /* has got every event, since `resume` */
    int room;
    long last;       /* the seq it has; -1: none yet */
    unsigned char *rest; /* a part of a message */
    size_t rest_size;
};

struct event {
    double sent;
    double last_got;
    int got;
};

/* Counted anew for every command. */
static struct {
    long deliveries, gaps, duplicates;
    int failed, closed, resumed, snapshots, current;
} seen;

static struct connection connections[MAX_CONNECTIONS];
static struct connection publisher;
static int started, is_in, members[MAX_ROOMS];

static struct event events[MAX_EVENTS];
static long published, completed;
static long room_base[MAX_ROOMS]; /* the seq at which a room stood before the first event */
static bool room_is_based[MAX_ROOMS];

static uint32_t *samples; /* microseconds from publishing to receiving */
static size_t sample_count;

static int port, rooms = 1, poller;
static double patience = 15; /* seconds without anything new, after which the rest is given up */
static bool publish_by_post, is_resuming, stdin_is_ready;
static char **paths;
static int path_count;
static const char *publisher_path = "/pub";
static const char *message = "{\"seq\":SEQ}"; /* SEQ and ROOM are replaced */
static struct text hello, ping, pong, ready;

static const struct text ESTABLISHED = {"{\"type\":\"connection_established\"", 32};
static const struct text SNAPSHOT = {"{\"type\":\"snapshot\"", 18};

static double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct text text_of(const char *bytes)
{
    return (struct text){bytes, strlen(bytes)};
}

static bool begins_with(const unsigned char *bytes, size_t size, struct text start)
{
    return start.size && size >= start.size && !memcmp(bytes, start.bytes, start.size);
}

/* Writing ---------------------------------------------------------------------------------------------------------- */

static void send_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    for (int tries = 0; size && tries < 20000;) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            usleep(50);
            tries++;
        } else {
            return; /* reading will find out that the connection has gone */
        }
    }
}

static void send_frame(int fd, enum opcode opcode, const void *payload, size_t size)
{
    static const unsigned char mask[4] = {0x4d, 0x61, 0x73, 0x6b};
    unsigned char frame[HEAD_SIZE + 8];
    size_t head = 2;
    if (size > HEAD_SIZE) {
        fprintf(stderr, "a message of %zu bytes is too long to send\n", size);
        exit(1);
    }
    frame[0] = (unsigned char)(0x80 | opcode);
    if (size < 126) {
        frame[1] = (unsigned char)(0x80 | size);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(size >> 8);
        frame[3] = (unsigned char)size;
        head = 4;
    }
    memcpy(frame + head, mask, 4);
    head += 4;
    for (size_t i = 0; i < size; i++)
        frame[head + i] = ((const unsigned char *)payload)[i] ^ mask[i & 3];
    send_all(fd, frame, head + size);
}

static void send_text(int fd, struct text text)
{
    send_frame(fd, TEXT, text.bytes, text.size);
}

/* Connections ------------------------------------------------------------------------------------------------------ */

static void open_connection(struct connection *c)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        fail("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->state = CONNECTING;
    c->is_in = c->is_current = false;
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect");
    struct epoll_event interest = {.events = EPOLLOUT, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &interest))
        fail("epoll_ctl");
}

static void close_connection(struct connection *c)
{
    /* Without waiting for the other side, so that no port is kept busy. */
    struct linger at_once = {.l_onoff = 1};
    if (c->state == CLOSED)
        return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(c->fd);
    free(c->rest);
    c->rest = NULL;
    c->rest_size = 0;
    c->state = CLOSED;
    if (c->is_in && c != &publisher) {
        is_in--;
        members[c->room]--;
    }
    c->is_in = false;
}

static void lose_connection(struct connection *c, const char *why, int code)
{
    if (seen.failed + seen.closed < 3 || c == &publisher)
        fprintf(stderr, "%s lost: %s %d\n", c == &publisher ? "publisher" : "connection", why, code);
    if (c->is_in)
        seen.closed++;
    else
        seen.failed++;
    close_connection(c);
}

static void send_request(struct connection *c)
{
    const char *path = c == &publisher ? publisher_path : paths[(c - connections) % path_count];
    char head[HEAD_SIZE];
    int size = snprintf(head, sizeof head,
                        "GET %s HTTP/1.1\r\n"
                        "Host: 127.0.0.1:%d\r\n"
                        "Origin: http://127.0.0.1:%d\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        path, port, port);
    if (size >= (int)sizeof head) {
        fprintf(stderr, "a path is too long\n");
        exit(1);
    }
    send_all(c->fd, head, (size_t)size);
    c->state = UPGRADING;
}

static void come_in(struct connection *c)
{
    if (c->is_in)
        return;
    c->is_in = true;
    if (c != &publisher) {
        is_in++;
        members[c->room]++;
    }
}

static void on_connected(struct connection *c)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        lose_connection(c, "connect", error);
        return;
    }
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &interest);
    if (c == &publisher && publish_by_post) {
        c->state = OPEN;
        come_in(c);
    } else {
        send_request(c);
    }
}

/* Messages --------------------------------------------------------------------------------------------------------- */

/* Events published in a room so far. */
static long published_in(int room)
{
    return (published - room + rooms - 1) / rooms;
}

static void check_current(struct connection *c)
{
    if (is_resuming && !c->is_current && c->last == room_base[c->room] + published_in(c->room)) {
        c->is_current = true;
        seen.current++;
    }
}

static void on_event(struct connection *c, long seq, double now)
{
    seen.deliveries++;
    if (c->last >= 0) {
        if (seq <= c->last) {
            seen.duplicates++;
            return;
        }
        seen.gaps += seq - c->last - 1;
    }
    c->last = seq;
    long number = (seq - room_base[c->room] - 1) * rooms + c->room;
    if (number >= 0 && number < published && number >= published - MAX_EVENTS) {
        struct event *event = &events[number % MAX_EVENTS];
        event->got++;
        event->last_got = now;
        if (sample_count < MAX_SAMPLES)
            samples[sample_count++] = (uint32_t)((now - event->sent) * 1e6);
    }
    check_current(c);
}

/* Where a room of this project stands, or how the connection's own position goes on. */
static void on_welcome(struct connection *c, const unsigned char *bytes, size_t size, long seq)
{
    if (!room_is_based[c->room]) {
        room_is_based[c->room] = true;
        room_base[c->room] = seq;
    }
    if (memmem(bytes, size, "\"resumed\":true", 14)) {
        seen.resumed++;
        come_in(c);
    } else {
        c->last = seq;
    }
    check_current(c);
}

static void on_text(struct connection *c, const unsigned char *bytes, size_t size, double now)
{
    if (begins_with(bytes, size, ping)) {
        send_text(c->fd, pong);
        return;
    }
    if (c == &publisher)
        return;
    if (begins_with(bytes, size, ready))
        come_in(c);
    const unsigned char *found = memmem(bytes, size, "\"seq\":", 6);
    if (!found)
        return;
    long seq = strtol((const char *)found + 6, NULL, 10); /* JSON goes on after a number, so this ends in the message */
    if (begins_with(bytes, size, ESTABLISHED)) {
        on_welcome(c, bytes, size, seq);
    } else if (begins_with(bytes, size, SNAPSHOT)) {
        seen.snapshots++;
        c->last = seq;
        check_current(c);
    } else {
        on_event(c, seq, now);
    }
}

/* Read the answer to the upgrade request. Return its size, 0 while it is not complete. */
static size_t read_head(struct connection *c, const unsigned char *bytes, size_t size)
{
    const unsigned char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (memcmp(bytes, "HTTP/1.1 101", 12)) {
        lose_connection(c, "refused with", atoi((const char *)bytes + 9));
        return 0;
    }
    c->state = OPEN;
    if (hello.size)
        send_text(c->fd, hello);
    if (!ready.size || c == &publisher)
        come_in(c);
    return (size_t)(end - bytes) + 4;
}

/* Act on one frame. Return its size, 0 while it is not complete. */
static size_t read_frame(struct connection *c, const unsigned char *bytes, size_t size, double now)
{
    if (size < 2)
        return 0;
    size_t head = 2, length = bytes[1] & 127;
    if (length >= 126) {
        head = length == 126 ? 4 : 10;
        if (size < head)
            return 0;
        length = 0;
        for (size_t i = 2; i < head; i++)
            length = length << 8 | bytes[i];
    }
    if (size < head + length)
        return 0;
    const unsigned char *payload = bytes + head;
    switch (bytes[0] & 15) {
    case TEXT:
        on_text(c, payload, length, now);
        break;
    case PING:
        send_frame(c->fd, PONG, payload, length);
        break;
    case CLOSE:
        lose_connection(c, "closed with", length >= 2 ? payload[0] << 8 | payload[1] : 1005);
        break;
    default:
        break;
    }
    return head + length;
}

static void on_readable(struct connection *c)
{
    static unsigned char buffer[READ_SIZE + 1];
    size_t size = c->rest_size, at = 0;
    if (size) {
        memcpy(buffer, c->rest, size);
        free(c->rest);
        c->rest = NULL;
        c->rest_size = 0;
    }
    ssize_t got = recv(c->fd, buffer + size, READ_SIZE - size, 0);
    if (got <= 0 && (got == 0 || errno != EAGAIN)) {
        lose_connection(c, got ? "reset" : "end of stream", 0);
        return;
    }
    size += got > 0 ? (size_t)got : 0;
    buffer[size] = 0;
    if (c == &publisher && publish_by_post)
        return;
    double now = clock_now();
    for (size_t step = 1; step && c->state != CLOSED; at += step)
        step = c->state == OPEN ? read_frame(c, buffer + at, size - at, now) : read_head(c, buffer, size);
    if (c->state != CLOSED && at < size) {
        c->rest_size = size - at;
        c->rest = malloc(c->rest_size);
        if (!c->rest)
            fail("malloc");
        memcpy(c->rest, buffer + at, c->rest_size);
    }
}

/* Wait for so long at most, and act on what has come. */
static void turn(int milliseconds)
{
    struct epoll_event ready_ones[1024];
    int count = epoll_wait(poller, ready_ones, 1024, milliseconds);
    for (int i = 0; i < count; i++) {
        struct connection *c = ready_ones[i].data.ptr;
        if (!c)
            stdin_is_ready = true;
        else if (c->state == CONNECTING)
            on_connected(c);
        else if (c->state != CLOSED)
            on_readable(c);
    }
}

static void turn_for(double seconds)
{
    for (double end = clock_now() + seconds; clock_now() < end;)
        turn(5);
}

/* Publishing ------------------------------------------------------------------------------------------------------- */

static void open_publisher(void)
{
    if (publisher.state != CLOSED)
        return;
    open_connection(&publisher);
    for (double end = clock_now() + patience; !publisher.is_in && clock_now() < end;)
        turn(5);
    if (!publisher.is_in) {
        fprintf(stderr, "there is no publisher\n");
        exit(1);
    }
    turn_for(0.2);
}

static size_t fill_in(char *filled, size_t space, int room, long seq)
{
    size_t size = 0;
    for (const char *at = message; *at && size + 24 < space;) {
        if (!strncmp(at, "SEQ", 3)) {
            size += (size_t)sprintf(filled + size, "%ld", seq);
            at += 3;
        } else if (!strncmp(at, "ROOM", 4)) {
            size += (size_t)sprintf(filled + size, "%d", room);
            at += 4;
        } else {
            filled[size++] = *at++;
        }
    }
    return size;
}

static void publish(void)
{
    char filled[HEAD_SIZE];
    int room = (int)(published % rooms);
    size_t size = fill_in(filled, sizeof filled, room, published_in(room) + 1);
    events[published % MAX_EVENTS] = (struct event){.sent = clock_now()};
    published++;
    if (publish_by_post) {
        char request[HEAD_SIZE + 256];
        int head = snprintf(request, sizeof request,
                            "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            publisher_path, size);
        memcpy(request + head, filled, size);
        send_all(publisher.fd, request, (size_t)head + size);
    } else {
        send_frame(publisher.fd, TEXT, filled, size);
    }
}

static bool is_complete(long number)
{
    return events[number % MAX_EVENTS].got >= members[number % rooms];
}

/* Count the events that everybody has, in order. Return whether there were new ones. */
static bool advance(void)
{
    long before = completed;
    while (completed < published && is_complete(completed))
        completed++;
    return completed > before;
}

/* Turn until everybody has every event, or nothing comes any more. Return how many deliveries are missing. */
static long drain(double seconds)
{
    long missing = 0, before = seen.deliveries;
    double progress = clock_now();
    while (advance(), completed < published && clock_now() - progress < seconds) {
        turn(5);
        if (seen.deliveries > before) {
            before = seen.deliveries;
            progress = clock_now();
        }
    }
    for (; completed < published; completed++) {
        int left = members[completed % rooms] - events[completed % MAX_EVENTS].got;
        missing += left > 0 ? left : 0;
    }
    return missing;
}

/* Commands --------------------------------------------------------------------------------------------------------- */

static void answer(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    fflush(stdout);
}

static void read_paths(const char *file)
{
    char line[HEAD_SIZE];
    int space = 0;
    FILE *input = fopen(file, "r");
    if (!input)
        fail(file);
    for (int i = 0; i < path_count; i++)
        free(paths[i]);
    path_count = 0;
    while (fgets(line, sizeof line, input)) {
        line[strcspn(line, "\n")] = 0;
        if (path_count == space) {
            space = space ? 2 * space : 64;
            paths = realloc(paths, (size_t)space * sizeof *paths);
            if (!paths)
                fail("realloc");
        }
        paths[path_count++] = strdup(line);
    }
    fclose(input);
    answer("{\"paths\": %d}", path_count);
}

/* Open connections until `count` have been started and are settled; `settled` says how many are. */
static void connect_up_to(int count, int (*settled)(void))
{
    double start = clock_now(), progress = start;
    int before = settled();
    while (settled() + seen.failed < count && clock_now() - start < CONNECT_SECONDS &&
           clock_now() - progress < patience) {
        while (started < count && started - is_in - seen.failed - seen.closed < AT_ONCE) {
            struct connection *c = &connections[started];
            c->room = started++ % rooms;
            open_connection(c);
        }
        turn(5);
        if (settled() > before) {
            before = settled();
            progress = clock_now();
        }
    }
}

static int count_in(void)
{
    return is_in;
}

static int count_current(void)
{
    return seen.current;
}

static void do_connect(int count)
{
    double start = clock_now();
    for (int i = started; i < count; i++)
        connections[i].last = -1;
    connect_up_to(count, count_in);
    answer("{\"in\": %d, \"failed\": %d, \"closed\": %d, \"seconds\": %.4f}", is_in, seen.failed, seen.closed,
           clock_now() - start);
}

static void do_resume(int count)
{
    double start = clock_now();
    is_resuming = true;
    completed = published; /* nobody waits for the events that came before */
    connect_up_to(count, count_current);
    is_resuming = false;
    answer("{\"current\": %d, \"resumed\": %d, \"snapshots\": %d, \"failed\": %d, \"closed\": %d, \"replayed\": %ld, "
           "\"gaps\": %ld, \"duplicates\": %ld, \"seconds\": %.4f}",
           seen.current, seen.resumed, seen.snapshots, seen.failed, seen.closed, seen.deliveries, seen.gaps,
           seen.duplicates, clock_now() - start);
}

static void do_drop(void)
{
    int count = is_in;
    for (int i = 0; i < started; i++)
        close_connection(&connections[i]);
    started = 0;
    answer("{\"dropped\": %d}", count);
}

static void do_publish(int count)
{
    open_publisher();
    for (int i = 0; i < count; i++)
        publish();
    answer("{\"published\": %d}", count);
}

static void do_once(void)
{
    open_publisher();
    struct event *event = &events[published % MAX_EVENTS];
    publish();
    long missing = drain(patience);
    answer("{\"ms\": %.2f, \"missing\": %ld}", (event->last_got - event->sent) * 1000, missing);
}

static void tell_stream(long first, double start, long missing)
{
    answer("{\"events\": %ld, \"deliveries\": %ld, \"seconds\": %.4f, \"missing\": %ld, \"gaps\": %ld, "
           "\"duplicates\": %ld, \"closed\": %d}",
           published - first, seen.deliveries, clock_now() - start, missing, seen.gaps, seen.duplicates, seen.closed);
}

static void do_closed(int window, double seconds)
{
    open_publisher();
    long first = published, missing = 0;
    double start = clock_now(), progress = start;
    while (clock_now() - start < seconds && is_in && publisher.is_in) {
        while (published - completed < window)
            publish();
        turn(5);
        if (advance()) {
            progress = clock_now();
        } else if (clock_now() - progress > patience) {
            missing += drain(0);
            progress = clock_now();
        }
    }
    tell_stream(first, start, missing + drain(patience));
}

static void do_waves(double seconds)
{
    open_publisher();
    long first = published, missing = 0;
    double start = clock_now();
    while (clock_now() - start < seconds && !missing && is_in && publisher.is_in) {
        do
            events[published++ % MAX_EVENTS] = (struct event){.sent = clock_now()};
        while (published % rooms);
        send_frame(publisher.fd, TEXT, "*", 1);
        missing = drain(patience);
    }
    tell_stream(first, start, missing);
}

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static double percentile(double part)
{
    size_t place = (size_t)((double)sample_count * part);
    if (!sample_count)
        return 0;
    return samples[place < sample_count ? place : sample_count - 1] / 1000.0;
}

static void do_paced(double rate, double seconds)
{
    open_publisher();
    sample_count = 0;
    long count = (long)(rate * seconds);
    double start = clock_now();
    for (long i = 0; i < count; i++) {
        for (double wait; (wait = start + (double)i / rate - clock_now()) > 0;)
            turn((int)(wait * 1000) + 1);
        publish();
    }
    turn_for(1 / rate);
    long in_time = seen.deliveries, wanted = count * is_in / rooms;
    long missing = drain(patience);
    qsort(samples, sample_count, sizeof *samples, by_size);
    answer("{\"events\": %ld, \"deliveries\": %ld, \"wanted\": %ld, \"in_time\": %ld, \"missing\": %ld, \"gaps\": %ld, "
           "\"duplicates\": %ld, \"closed\": %d, \"p50\": %.2f, \"p99\": %.2f, \"max\": %.2f}",
           count, seen.deliveries, wanted, in_time, missing, seen.gaps, seen.duplicates, seen.closed, percentile(0.5),
           percentile(0.99), percentile(1));
}

static void obey(const char *line)
{
    char name[16] = "", rest[HEAD_SIZE] = "";
    sscanf(line, "%15s %4095[^\n]", name, rest);
    char *second = NULL;
    double first = strtod(rest, &second), other = strtod(second, NULL);
    memset(&seen, 0, sizeof seen);
    if (!strcmp(name, "paths")) {
        read_paths(rest);
    } else if (!strcmp(name, "connect") && first <= MAX_CONNECTIONS) {
        do_connect((int)first);
    } else if (!strcmp(name, "resume") && first <= MAX_CONNECTIONS) {
        do_resume((int)first);
    } else if (!strcmp(name, "publish")) {
        do_publish((int)first);
    } else if (!strcmp(name, "drop")) {
        do_drop();
    } else if (!strcmp(name, "once")) {
        do_once();
    } else if (!strcmp(name, "closed")) {
        do_closed((int)first, other);
    } else if (!strcmp(name, "waves")) {
        do_waves(first);
    } else if (!strcmp(name, "paced")) {
        do_paced(first, other);
    } else if (!strcmp(name, "hold")) {
        turn_for(first);
        answer("{\"in\": %d}", is_in);
    } else {
        fprintf(stderr, "no such command: %s", line);
        exit(2);
    }
}

static void read_options(int count, char **arguments)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},      {"rooms", required_argument, NULL, 'r'},
        {"publisher", required_argument, NULL, 'u'}, {"message", required_argument, NULL, 'm'},
        {"post", no_argument, NULL, 'x'},            {"hello", required_argument, NULL, 'h'},
        {"ready", required_argument, NULL, 'y'},     {"ping", required_argument, NULL, 'i'},
        {"pong", required_argument, NULL, 'o'},      {"patience", required_argument, NULL, 't'},
        {0},
    };
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'r': rooms = atoi(optarg); break;
        case 'u': publisher_path = optarg; break;      /* where the publisher connects, or posts to */
        case 'm': message = optarg; break;             /* what it sends */
        case 'x': publish_by_post = true; break;
        case 'h': hello = text_of(optarg); break;      /* the first message of every connection */
        case 'y': ready = text_of(optarg); break;      /* the message that begins so lets a connection in */
        case 'i': ping = text_of(optarg); break;       /* the message that begins so is answered ... */
        case 'o': pong = text_of(optarg); break;       /* ... with this one */
        case 't': patience = atof(optarg); break;
        default: exit(2);
        }
    }
    if (port <= 0 || rooms <= 0 || rooms > MAX_ROOMS)
        exit(2);
}

int main(int count, char **arguments)
{
    char line[HEAD_SIZE + 32];
    read_options(count, arguments);
    samples = malloc(MAX_SAMPLES * sizeof *samples);
    poller = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN};
    if (!samples || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &interest))
        fail("start");
    for (;;) {
        turn(1000);
        if (!stdin_is_ready)
            continue;
        stdin_is_ready = false;
        if (!fgets(line, sizeof line, stdin))
            return 0;
        obey(line);
    }
}
