/* A TCP relay that behaves like one shared network link.
 *
 *   link TARGET_PORT RTT_MS MBIT_PER_S       (prints the port that it listens on)
 *
 * Each byte waits half the round trip in either direction.  Bytes towards the client also queue for the bandwidth, which
 * all connections share; 0 means no limit.  The kernel answers a connect at once, so the first bytes of a connection
 * wait one round trip more, as a handshake costs.  Slow start and loss are not modelled.  Loopback only; it ends with
 * its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE_BYTES = 16384, WINDOW_BYTES = 4 << 20, MAX_CONNECTIONS = 1024 };

struct piece {
    struct piece *next;
    int64_t due;
    size_t length, sent;
    char bytes[PIECE_BYTES];
};

struct flow {
    int from, to, downwards;
    int ended; /* nothing more comes */
    int closed; /* everything was passed on */
    size_t waiting_bytes;
    int64_t earliest;
    struct piece *first, *last;
};

struct connection {
    struct flow up, down;
};

static struct connection *connections[MAX_CONNECTIONS];
static int count;
static int64_t half_trip, link_free_at;
static double nanoseconds_per_byte;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int64_t due(const struct flow *flow, size_t length) {
    int64_t at = now();
    if (flow->downwards && nanoseconds_per_byte > 0) {
        if (link_free_at < at) link_free_at = at;
        link_free_at += (int64_t)(length * nanoseconds_per_byte);
        at = link_free_at;
    }
    at += half_trip;
    return at < flow->earliest ? flow->earliest : at;
}

static void receive(struct flow *flow) {
    while (!flow->ended && flow->waiting_bytes < WINDOW_BYTES) {
        struct piece *piece = malloc(sizeof *piece);
        if (!piece) exit(1);
        ssize_t length = read(flow->from, piece->bytes, PIECE_BYTES);
        if (length <= 0) {
            if (length == 0 || (errno != EAGAIN && errno != EINTR)) flow->ended = 1;
            free(piece);
            return;
        }
        piece->next = NULL;
        piece->length = (size_t)length;
        piece->sent = 0;
        piece->due = due(flow, piece->length);
        if (flow->last) flow->last->next = piece;
        else flow->first = piece;
        flow->last = piece;
        flow->waiting_bytes += piece->length;
    }
}

static void drop(struct flow *flow) {
    while (flow->first) {
        struct piece *piece = flow->first;
        flow->first = piece->next;
        free(piece);
    }
    flow->last = NULL;
    flow->waiting_bytes = 0;
}

static void send_due(struct flow *flow) {
    int64_t time = now();
    while (flow->first && flow->first->due <= time) {
        struct piece *piece = flow->first;
        ssize_t length = send(flow->to, piece->bytes + piece->sent, piece->length - piece->sent, MSG_NOSIGNAL);
        if (length < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            drop(flow);
            flow->ended = flow->closed = 1;
            return;
        }
        piece->sent += (size_t)length;
        flow->waiting_bytes -= (size_t)length;
        if (piece->sent == piece->length) {
            flow->first = piece->next;
            if (!flow->first) flow->last = NULL;
            free(piece);
        }
    }
    if (flow->ended && !flow->first && !flow->closed) {
        shutdown(flow->to, SHUT_WR);
        flow->closed = 1;
    }
}

static void prepare(int socket) {
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(socket, F_SETFL, O_NONBLOCK);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void join(int client, int target_port) {
    struct sockaddr_in address = loopback(target_port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (count == MAX_CONNECTIONS || connect(server, (struct sockaddr *)&address, sizeof address)) {
        close(client);
        close(server);
        return;
    }
    prepare(client);
    prepare(server);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) exit(1);
    connection->up = (struct flow){.from = client, .to = server, .earliest = now() + 3 * half_trip};
    connection->down = (struct flow){.from = server, .to = client, .downwards = 1};
    connections[count++] = connection;
}

static void watch(struct pollfd *entry, int number, struct flow *in, struct flow *out, int64_t time) {
    entry->fd = number;
    entry->events = 0;
    if (!in->ended && in->waiting_bytes < WINDOW_BYTES) entry->events |= POLLIN;
    if (out->first && out->first->due <= time) entry->events |= POLLOUT;
    if (!entry->events) entry->fd = -1; /* a hang-up would be told again and again */
}

static void wait_for_work(int listener) {
    static struct pollfd entries[2 + 2 * MAX_CONNECTIONS];
    int64_t time = now(), next = time + 1000000000LL;
    entries[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    entries[1] = (struct pollfd){.fd = 0, .events = POLLIN};
    for (int i = 0; i < count; i++) {
        struct flow *up = &connections[i]->up, *down = &connections[i]->down;
        watch(&entries[2 + 2 * i], up->from, up, down, time);
        watch(&entries[3 + 2 * i], down->from, down, up, time);
        if (up->first && up->first->due > time && up->first->due < next) next = up->first->due;
        if (down->first && down->first->due > time && down->first->due < next) next = down->first->due;
    }
    struct timespec patience = {.tv_sec = (next - time) / 1000000000LL, .tv_nsec = (next - time) % 1000000000LL};
    ppoll(entries, (nfds_t)(2 + 2 * count), &patience, NULL);
    if (entries[1].revents) exit(0);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    signal(SIGPIPE, SIG_IGN);
    int target_port = atoi(argv[1]);
    half_trip = (int64_t)(atof(argv[2]) * 500000);
    nanoseconds_per_byte = atof(argv[3]) > 0 ? 8000.0 / atof(argv[3]) : 0;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024)) return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        wait_for_work(listener);
        for (int client; (client = accept(listener, NULL, NULL)) >= 0;) join(client, target_port);
        for (int i = 0; i < count; i++) {
            struct connection *connection = connections[i];
            receive(&connection->up);
            receive(&connection->down);
            send_due(&connection->up);
            send_due(&connection->down);
            if (connection->up.closed && connection->down.closed) {
                close(connection->up.from);
                close(connection->down.from);
                drop(&connection->up);
                drop(&connection->down);
                free(connection);
                connections[i--] = connections[--count];
            }
        }
    }
}
