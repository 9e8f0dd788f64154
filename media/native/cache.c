/* The last packets of one source; said in streams.h. */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

bool cache_init(cache *c, int slots)
{
    c->mask = slots - 1;
    c->empty = false;
    c->seqs = malloc((size_t)slots * sizeof *c->seqs);
    c->sizes = calloc((size_t)slots, sizeof *c->sizes);
    c->most = calloc((size_t)slots, sizeof *c->most);
    c->data = calloc((size_t)slots, SLOT_BYTES);
    if (!c->seqs || !c->sizes || !c->most || !c->data) {
        cache_free(c);
        return false;
    }
    for (int slot = 0; slot < slots; slot++)
        c->seqs[slot] = -1;
    c->empty = true;
    return true;
}

void cache_free(cache *c)
{
    free(c->seqs);
    free(c->sizes);
    free(c->most);
    free(c->data);
    memset(c, 0, sizeof *c);
}

void cache_store(cache *c, uint16_t seq, const uint8_t *packet, int size)
{
    int slot = seq & c->mask;
    int32_t held = c->seqs[slot];
    if (held >= 0 && less((uint16_t)held, seq) < 0x8000)
        return;
    c->seqs[slot] = size <= SLOT_BYTES ? seq : -1;
    if (size > SLOT_BYTES)
        return;
    memcpy(c->data + (size_t)slot * SLOT_BYTES, packet, (size_t)size);
    if (size > c->most[slot])
        c->most[slot] = (uint16_t)size;
    c->sizes[slot] = (uint16_t)size;
    c->empty = false;
}

const uint8_t *cache_find(const cache *c, uint16_t seq, int *size)
{
    int slot = seq & c->mask;
    if (c->seqs[slot] != seq)
        return NULL;
    *size = c->sizes[slot];
    return c->data + (size_t)slot * SLOT_BYTES;
}

bool cache_has(const cache *c, uint16_t seq) { return c->seqs[seq & c->mask] == seq; }

bool cache_resize(cache *c, int slots)
{
    cache other;
    if (!cache_init(&other, slots))
        return false;
    for (int slot = 0; slot <= c->mask; slot++)
        if (c->seqs[slot] >= 0)
            cache_store(&other, (uint16_t)c->seqs[slot], c->data + (size_t)slot * SLOT_BYTES,
                        c->sizes[slot]);
    cache_clear(c);
    cache_free(c);
    *c = other;
    return true;
}

int slots_for(double packets, int least, int most)
{
    int slots = least;
    while (slots < packets && slots < most)
        slots *= 2;
    return slots;
}

void cache_clear(cache *c)
{
    if (c->empty)
        return;
    c->empty = true;
    for (int slot = 0; slot <= c->mask; slot++) {
        c->seqs[slot] = -1;
        memset(c->data + (size_t)slot * SLOT_BYTES, 0, c->most[slot]);
        c->most[slot] = 0;
    }
}
