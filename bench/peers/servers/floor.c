/*
 * What one thread can do at most with one send() a delivery: the publisher's message, framed once, in a loop.
 *
 * It speaks just enough WebSocket for bench/peers/load.c, whose key is always the example of RFC 6455, 1.3.
 *
 * Usage: floor PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FILES = 20001, READ_SIZE = 1 << 16, TEXT = 1 };
enum role { UNKNOWN, SUBSCRIBER, PUBLISHER };

static const char ACCEPTED[] = "HTTP/1.1 101 Switching Protocols\r\n"
                               "Upgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static enum role roles[MAX_FILES];
static int subscribers[MAX_FILES], places[MAX_FILES], subscriber_count;

static void part(int fd)
{
    if (roles[fd] == SUBSCRIBER) {
        int last = subscribers[--subscriber_count];
        subscribers[places[fd]] = last;
        places[last] = places[fd];
    }
    close(fd);
}

static void greet(int fd, const char *head)
{
    send(fd, ACCEPTED, sizeof ACCEPTED - 1, MSG_NOSIGNAL);
    if (!strncmp(head, "GET /pub ", 9)) {
        roles[fd] = PUBLISHER;
        return;
    }
    roles[fd] = SUBSCRIBER;
    places[fd] = subscriber_count;
    subscribers[subscriber_count++] = fd;
}

static void fan_out(const uint8_t *payload, const uint8_t *mask, size_t size)
{
    static uint8_t frame[READ_SIZE];
    size_t head = size < 126 ? 2 : 4;
    frame[0] = 0x80 | TEXT;
    frame[1] = (uint8_t)(size < 126 ? size : 126);
    if (head == 4) {
        frame[2] = (uint8_t)(size >> 8);
        frame[3] = (uint8_t)size;
    }
    for (size_t i = 0; i < size; i++)
        frame[head + i] = payload[i] ^ mask[i & 3];
    for (int i = 0; i < subscriber_count; i++)
        send(subscribers[i], frame, head + size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Pass on every message. A frame comes in one piece: it is small, and the publisher sends it in one write. */
static void read_frames(const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + 6 <= size;) {
        size_t length = bytes[at + 1] & 127, head = 2;
        if (length == 126) {
            length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
            head = 4;
        }
        if ((bytes[at] & 15) == TEXT)
            fan_out(bytes + at + head + 4, bytes + at + head, length);
        at += head + 4 + length;
    }
}

static void on_readable(int fd)
{
    static uint8_t buffer[READ_SIZE + 1];
    ssize_t size = recv(fd, buffer, READ_SIZE, 0);
    if (size <= 0) {
        part(fd);
        return;
    }
    buffer[size] = 0;
    if (roles[fd] == UNKNOWN)
        greet(fd, (const char *)buffer);
    else if (roles[fd] == PUBLISHER)
        read_frames(buffer, (size_t)size);
}

static int listen_at(int port)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
        perror("listen");
        exit(1);
    }
    return fd;
}

int main(int count, char **arguments)
{
    struct epoll_event found[512], interest = {.events = EPOLLIN};
    int on = 1, poller = epoll_create1(0);
    if (count != 2)
        return 2;
    int listener = listen_at(atoi(arguments[1]));
    interest.data.fd = listener;
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int ready = epoll_wait(poller, found, 512, -1);
        for (int i = 0; i < ready; i++) {
            if (found[i].data.fd != listener) {
                on_readable(found[i].data.fd);
                continue;
            }
            for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 && fd < MAX_FILES;) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                roles[fd] = UNKNOWN;
                interest.data.fd = fd;
                epoll_ctl(poller, EPOLL_CTL_ADD, fd, &interest);
            }
        }
    }
}
