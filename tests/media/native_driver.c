/* Drives the packet path in C with datagrams that nobody would send, under sanitizers.
 *
 *   driver feed COUNT SEED       on one thread, with every call of path.h in between
 *   driver threads SECONDS SEED  through a socket, while calls come from another thread
 *
 * SRTP is played here: 16 bytes are put on and taken off, and whatever is left is believed, so that
 * more nonsense comes through than libsrtp would let pass.
 */
#include "path.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LEGS = 3, KINDS = 2, TAG = 16 };

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static int protect(void *session, void *packet, int *size)
{
    if (!session || *size < 8 || *size > PACKET_BYTES - 148)
        abort(); /* never asked of libsrtp */
    memset((uint8_t *)packet + *size, 0xAA, TAG);
    *size += TAG;
    return 0;
}

static int unprotect(void *session, void *packet, int *size)
{
    (void)packet;
    if (!session || *size > PACKET_BYTES)
        abort();
    if (*size < 12 + TAG)
        return 1;
    *size -= TAG;
    return 0;
}

static path *made;
static handle legs[LEGS], sources[LEGS * KINDS], sinks[LEGS * LEGS * KINDS], taps[LEGS * KINDS];
static address from[LEGS];
static int session;
static double now = 1000;

static void add_leg(int n)
{
    legs[n] = leg_add(made);
    leg_keys(made, legs[n], &session, &session);
    leg_allow(made, legs[n], &from[n], now + 1e9);
    route routes[4] = {{.payload_type = 63, .repairs = -1, .carries = 111},
                       {.payload_type = 111, .repairs = -1},
                       {.payload_type = 96, .repairs = -1},
                       {.payload_type = 97, .repairs = 96}};
    for (int i = 0; i < 4; i++) {
        routes[i].source = sources[n * KINDS + (i > 1)];
        routes[i].cc = 3;
        routes[i].stamp = 2;
        routes[i].mid = 4;
        for (int id = 0; id < TABLE_IDS; id++)
            routes[i].table[id] = (uint8_t)(draw(4) ? id : 0);
    }
    leg_routes(made, legs[n], routes, 4);
}

static void add_source(int n)
{
    int codec = n % KINDS == 0 ? OPUS : draw(2) ? VP8 : H264;
    sources[n] = source_add(made, codec);
    source_expect(made, sources[n], NULL, 0, 1);
    source_open(made, sources[n], 1);
    taps[n] = tap_add(made, sources[n], 4000);
}

static void agree(int n)
{
    agreed a = {.payload_type = 96, .rtx_type = draw(2) ? 97 : -1, .has_table = draw(2) != 0};
    a.stamps = draw(2) != 0;
    a.numbers = draw(2) != 0;
    a.mid_size = (uint8_t)draw(MID_BYTES + 1);
    for (int id = 0; id < TABLE_IDS; id++)
        a.table[id] = (uint8_t)draw(16);
    sink_agree(made, sinks[n], &a);
}

static void add_sink(int n)
{
    seeds begin = {.ssrc = 1000u + (uint32_t)n, .rtx_ssrc = 2000u + (uint32_t)n, .first_seq = 65500};
    sinks[n] = sink_add(made, legs[n % LEGS], n % KINDS == 0 ? OPUS : VP8, &begin);
    agree(n);
    sink_listen(made, sinks[n], sources[draw(LEGS) * KINDS + (uint32_t)n % KINDS]);
}

static void begin(int udp)
{
    for (int n = 0; n < LEGS; n++) {
        from[n] = (address){.kind = AF_INET, .port = (uint16_t)(4000 + n), .host = {127, 0, 0, 1}};
        if (n == 2 && udp < 0)
            from[n].kind |= STREAM;
    }
    for (int n = 0; n < LEGS * KINDS; n++)
        add_source(n);
    for (int n = 0; n < LEGS; n++)
        add_leg(n);
    for (int n = 0; n < LEGS * LEGS * KINDS; n++)
        add_sink(n);
}

/* One call that the rest of the engine may make. */
static void call(void)
{
    static uint8_t taken[4000];
    static passage passages[MAX_SENT];
    gap gaps[MAX_MISSING];
    handle listed[64];
    leg_facts leg_seen;
    source_facts source_seen;
    sink_facts sink_seen;
    path_facts path_seen;
    uint64_t lost;
    uint16_t seqs[32];
    int l = (int)draw(LEGS), s = (int)draw(LEGS * KINDS), k = (int)draw(LEGS * LEGS * KINDS);
    switch (draw(29)) {
    case 0: source_open(made, sources[s], draw(3) != 0); break;
    case 1: source_replace(made, sources[s]); break;
    case 2: source_codec(made, sources[s], s % KINDS == 0 ? OPUS : draw(2) ? VP8 : H264); break;
    case 3: source_window(made, sources[s], draw(3)); break;
    case 4: source_want(made, sources[s]); break;
    case 5: source_read(made, sources[s], &source_seen); break;
    case 6: source_missing(made, sources[s], gaps, now); break;
    case 7: sink_flow(made, sinks[k], (int)draw(4)); break;
    case 8: agree(k); break;
    case 9: sink_listen(made, sinks[k], draw(4) ? sources[draw(LEGS) * KINDS + (uint32_t)k % KINDS] : 0); break;
    case 10: sink_read(made, sinks[k], &sink_seen); break;
    case 11: sink_time_out(made, sinks[k], 7); break;
    case 12:
        for (int i = 0; i < 32; i++)
            seqs[i] = (uint16_t)(65500 + draw(600));
        sink_resend(made, sinks[k], seqs, 32, 20, now);
        break;
    case 13: leg_read(made, legs[l], &leg_seen); break;
    case 14:
        leg_tell(made, legs[l], draw(100000));
        leg_control(made, legs[l], taken, (int)draw(MAX_RTCP_BYTES + 20), now);
        break;
    case 15: leg_sent(made, legs[l], (int)draw(70000), (int)draw(3000), passages); break;
    case 16: leg_use(made, legs[l], &from[draw(LEGS)]); break;
    case 17:
        leg_forbid(made, legs[l], &from[draw(LEGS)]);
        leg_allow(made, legs[l], &from[l], now + 1e9);
        break;
    case 18: leg_keys(made, legs[l], draw(8) ? &session : NULL, draw(8) ? &session : NULL); break;
    case 19: tap_read(made, taps[s], taken, sizeof taken, &lost); break;
    case 20: path_tick(made, now += 0.3); break;
    case 21: leg_moved(made, listed, 64); break;
    case 22: source_needy(made, listed, 64); break;
    case 23: path_read(made, &path_seen); break;
    case 24:
        if (draw(20) == 0) {
            source_remove(made, sources[s]);
            add_source(s);
            leg_remove(made, legs[s / KINDS]);
            add_leg(s / KINDS);
        }
        break;
    case 25:
        sink_remove(made, sinks[k]);
        add_sink(k);
        break;
    case 26: path_expect(made, (const uint8_t *)"ufragufragufragufragufragufrag-a", (int)draw(34)); break;
    case 27: path_ignore(made, (const uint8_t *)"ufragufragufragufragufragufrag-a", (int)draw(34)); break;
    case 28: sink_twice(made, sinks[k], draw(3) != 0); break;
    default: break;
    }
}

/* A check that is about right, and then less so. */
static int check(uint8_t *data)
{
    int size = 20, said = (int)draw(34);
    memset(data, 0, PACKET_BYTES);
    data[1] = 1;
    put32(data + 4, 0x2112A442u);
    for (uint32_t others = draw(3); others > 0; others--, size += 8)
        put32(data + size, 0x80220004u);
    put16(data + size, 6);
    put16(data + size + 2, (uint16_t)(draw(4) ? said + 5 : (int)draw(65536)));
    memcpy(data + size + 4, "ufragufragufragufragufragufrag-a", 32);
    memcpy(data + size + 4 + said, ":them", 5);
    size += 4 + ((said + 5 + 3) & ~3);
    if (draw(10) == 0)
        size = (int)draw((uint32_t)size + 1);
    put16(data + 2, (uint16_t)(size - 20));
    if (draw(4) == 0)
        data[draw((uint32_t)size + 1)] = (uint8_t)draw(256);
    return size > 0 ? size : 1;
}

/* A datagram that is about right, and then less so. */
static int datagram(uint8_t *data)
{
    if (draw(30) == 0)
        return check(data);
    static uint16_t seqs[3];
    static uint32_t time;
    int lane = (int)draw(3), size = 12;
    bool told_again = lane == 0 && draw(2);
    memset(data, 0, PACKET_BYTES);
    data[0] = (uint8_t)(0x80 | (draw(2) ? 0x10 : 0) | (draw(10) ? 0 : 0x20));
    data[1] = (uint8_t)((told_again ? 63 : lane == 0 ? 111 : lane == 1 ? 96 : 97) | (draw(2) ? 0x80 : 0));
    seqs[lane] = (uint16_t)(seqs[lane] + (draw(50) ? 1 : draw(1000) ? draw(5) : 5000));
    put16(data + 2, seqs[lane]);
    put32(data + 4, time += draw(3) ? 0 : 3000);
    put32(data + 8, 100u + (uint32_t)lane);
    if (data[0] & 0x10) {
        int words = (int)draw(8);
        put16(data + size, draw(4) ? 0xBEDE : draw(2) ? 0x1000 : (uint16_t)draw(65536));
        put16(data + size + 2, (uint16_t)words);
        size += 4;
        for (int i = 0; i < 4 * words; i++)
            data[size + i] = (uint8_t)(draw(3) ? draw(256) : draw(2) ? 0x31 : 0x22);
        size += 4 * words;
    }
    if (lane == 2) {
        put16(data + size, (uint16_t)(seqs[1] - draw(6)));
        size += 2;
    }
    for (uint32_t heads = told_again ? draw(3) : 0; heads > 0; heads--, size += 4)
        put32(data + size, 0x80000000u | 111u << 24 | 960u << 10 | draw(draw(8) ? 30 : 1024));
    if (told_again)
        data[size++] = draw(20) ? 111 : 5;
    static const uint8_t starts[][6] = {{0x10, 0x50, 0, 0, 0x9D, 1}, {0x90, 0xE0, 0x81, 2, 3, 0x40},
                                        {0x10, 0x51},                {0x67, 1},
                                        {0x78, 0, 2, 0x67, 1, 2},    {0x7C, 0x85}};
    memcpy(data + size, starts[draw(6)], 6);
    int room = draw(50) ? 60 : PACKET_BYTES - size - 10;
    size += (int)draw((uint32_t)room);
    for (uint32_t change = draw(4); change > 0 && draw(3) == 0; change--)
        data[draw((uint32_t)size)] = (uint8_t)draw(256);
    if (draw(40) == 0)
        size = (int)draw((uint32_t)size + 1);
    return size + TAG < PACKET_BYTES ? size + TAG : PACKET_BYTES - 1;
}

static void feed(long count)
{
    /* Its own place of exactly `size` bytes, so that a byte too many is seen. */
    static uint8_t data[PACKET_BYTES];
    begin(-1);
    for (long i = 0; i < count; i++) {
        int size = datagram(data);
        uint8_t *exact = malloc((size_t)size);
        memcpy(exact, data, (size_t)size);
        path_feed(made, &from[draw(LEGS)], exact, size, now += 0.0005);
        free(exact);
        if (draw(16) == 0)
            call();
    }
}

static atomic_int over;
static struct sockaddr_in target;

static void *shower(void *unused)
{
    (void)unused;
    uint8_t data[PACKET_BYTES];
    int out = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(out, (struct sockaddr *)&name, sizeof name) != 0)
        abort();
    socklen_t length = sizeof name;
    getsockname(out, (struct sockaddr *)&name, &length);
    from[0].port = ntohs(name.sin_port);
    atomic_store(&over, 1);
    while (atomic_load(&over) == 1) {
        memset(data, 0, sizeof data);
        data[0] = 0x80;
        data[1] = 96;
        static uint16_t seq;
        put16(data + 2, ++seq);
        put32(data + 8, 100);
        data[12] = 0x10;
        data[13] = seq % 16 ? 0x51 : 0x50;
        sendto(out, data, 200, 0, (struct sockaddr *)&target, sizeof target);
    }
    close(out);
    return NULL;
}

static void threads(double seconds)
{
    int pair[2], udp = socket(AF_INET, SOCK_DGRAM, 0);
    target = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof target;
    if (bind(udp, (struct sockaddr *)&target, sizeof target) != 0 ||
        getsockname(udp, (struct sockaddr *)&target, &length) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
        abort();
    pthread_t sender;
    begin(udp);
    pthread_create(&sender, NULL, shower, NULL);
    while (atomic_load(&over) == 0)
        usleep(1000);
    leg_allow(made, legs[0], &from[0], now + 1e9);
    if (path_start(made, udp, pair[1]) != 0)
        abort();
    time_t end = time(NULL) + (time_t)seconds + 1;
    while (time(NULL) < end)
        for (int i = 0; i < 200; i++)
            call();
    path_stop(made);
    path_facts seen;
    path_read(made, &seen);
    printf("%llu datagrams in %llu batches\n", (unsigned long long)seen.datagrams,
           (unsigned long long)seen.batches);
    atomic_store(&over, 2);
    pthread_join(sender, NULL);
    close(udp);
    close(pair[0]);
    close(pair[1]);
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    state = strtoull(words[3], NULL, 10) * 2654435761u + 88172645463325252u;
    made = path_new(protect, unprotect, protect);
    if (!made)
        return 1;
    if (strcmp(words[1], "feed") == 0)
        feed(strtol(words[2], NULL, 10));
    else
        threads(strtod(words[2], NULL));
    path_free(made);
    return 0;
}
