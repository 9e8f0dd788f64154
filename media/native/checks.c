/* Which checks (STUN) are for somebody here (rule 1): those addressed to a user name that Python has
 * said. So what strangers send ends here, at the cost of a look. All of it runs under `state`.
 */
#include "inside.h"

enum { STUN_BYTES = 20, MAX_STUN_BYTES = 576, USERNAME = 6 };

static expected **name_link(path *p, const uint8_t *text, int size)
{
    uint32_t hash = 2166136261u; /* FNV-1a; the names are drawn at random by us */
    for (int i = 0; i < size; i++)
        hash = (hash ^ text[i]) * 16777619u;
    expected **link = &p->names[(hash ^ hash >> 12) % NAME_BUCKETS];
    while (*link && ((*link)->size != size || memcmp((*link)->text, text, (size_t)size) != 0))
        link = &(*link)->next;
    return link;
}

/* Tell whether a datagram is a check for one of the names; as `addressed_ufrag` of media/ice.py. */
bool is_for_us(path *p, const uint8_t *data, int size)
{
    if (size < STUN_BYTES || size > MAX_STUN_BYTES || get16(data) != 1 ||
        get16(data + 2) != size - STUN_BYTES || get32(data + 4) != 0x2112A442u)
        return false;
    for (int at = STUN_BYTES; at + 4 <= size;) {
        int kind = get16(data + at), length = get16(data + at + 2);
        at += 4;
        if (kind == USERNAME) {
            int end = at + length < size ? at + length : size;
            const uint8_t *colon = memchr(data + at, ':', (size_t)(end - at));
            int before = colon ? (int)(colon - (data + at)) : 0;
            return colon && before <= MAX_NAME_BYTES && *name_link(p, data + at, before);
        }
        at += (length + 3) & ~3;
    }
    return false;
}

int path_expect(path *p, const uint8_t *text, int size)
{
    if (size < 1 || size > MAX_NAME_BYTES)
        return FULL;
    expected *made = calloc(1, sizeof *made);
    if (!made)
        return FULL;
    made->size = (uint8_t)size;
    memcpy(made->text, text, (size_t)size);
    enter(p);
    expected **link = name_link(p, text, size);
    if (*link)
        free(made);
    else
        *link = made;
    LEAVE(0);
}

int path_ignore(path *p, const uint8_t *text, int size)
{
    if (size < 1 || size > MAX_NAME_BYTES)
        return 0;
    enter(p);
    expected **link = name_link(p, text, size), *gone = *link;
    if (gone) {
        *link = gone->next;
        free(gone);
    }
    LEAVE(0);
}

void forget_names(path *p)
{
    for (int i = 0; i < NAME_BUCKETS; i++)
        while (p->names[i]) {
            expected *gone = p->names[i];
            p->names[i] = gone->next;
            free(gone);
        }
}

/* --- how much of strangers Python is handed */

static void fill(bucket *b, double burst, double per_second, double now)
{
    if (b->filled_at == 0 || now > b->filled_at) {
        b->tokens += b->filled_at == 0 ? burst : (now - b->filled_at) * per_second;
        if (b->tokens > burst)
            b->tokens = burst;
        b->filled_at = now;
    }
}

bool bucket_has(bucket *b, double burst, double per_second, double now)
{
    fill(b, burst, per_second, now);
    return b->tokens >= 1;
}

/* Where an address is: an IPv4 one by itself, of an IPv6 one the network of 64 bits. */
static bucket *place_of(path *p, const address *where)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    bool four = (where->kind & ~STREAM) == AF_INET;
    bool whole = !four && memcmp(where->host, mapped, sizeof mapped) == 0;
    uint32_t hash = 2166136261u ^ p->salt;
    for (int i = 0; i < (four ? 4 : whole ? 16 : 8); i++)
        hash = (hash ^ where->host[i]) * 16777619u;
    return &p->places[(hash ^ hash >> 12) % PLACES];
}

bool admits_stranger(path *p, const address *where, double now)
{
    bucket *place = place_of(p, where);
    if (!bucket_has(place, 200, 500, now) || !bucket_has(&p->strangers, 300, 1000, now))
        return false;
    place->tokens -= 1;
    p->strangers.tokens -= 1;
    return true;
}
