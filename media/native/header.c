/* Headers of packets (RFC 3550 section 5, RFC 8285, RFC 4588); said in streams.h. */
#include "streams.h"

#include <string.h>

enum { ONE_BYTE = 0xBEDE, TWO_BYTE = 0x1000 };

int rtp_header_bytes(const uint8_t *data, int size)
{
    if (size < HEADER_BYTES || data[0] >> 6 != 2)
        return -1;
    int end = HEADER_BYTES + 4 * (data[0] & 15);
    if (data[0] & 0x10) {
        if (end + 4 > size)
            return -1;
        end += 4 + 4 * get16(data + end + 2);
    }
    return end <= size ? end : -1;
}

int rtp_padding_bytes(const uint8_t *data, int payload, int size)
{
    if (!(data[0] & 0x20) || size <= payload)
        return 0;
    int said = data[size - 1] ? data[size - 1] : 1;
    return said < size - payload ? said : size - payload;
}

static void blot(uint8_t *data, int from, int to) { memset(data + from, 0, (size_t)(to - from)); }

static places clean_short(uint8_t *data, int at, int end, const uint8_t *table, int cc, int stamp,
                          int mid)
{
    places found = {-1, 0, 0, 0};
    while (at < end) {
        if (data[at] == 0) {
            at++;
            continue;
        }
        int number = data[at] >> 4, length = (data[at] & 15) + 1, after = at + 1 + length;
        if (number == 15 || after > end) {
            blot(data, at, end);
            break;
        }
        bool kept = table[number] != 0;
        if (number == cc) {
            bool first = length == 2 && found.cc < 0;
            kept = kept && first;
            if (first)
                found.cc = get16(data + at + 1);
            if (kept)
                found.cc_at = at + 1;
        } else if (number == stamp) {
            kept = kept && length == 3 && !found.stamp_at;
            if (kept)
                found.stamp_at = at + 1;
        } else if (number == mid) {
            kept = kept && !found.mid_at;
            if (kept)
                found.mid_at = at + 1;
        }
        if (!kept)
            blot(data, at, after);
        at = after;
    }
    return found;
}

static places clean_long(uint8_t *data, int at, int end, const uint8_t *table, int cc, int stamp,
                         int mid)
{
    places found = {-1, 0, 0, 0};
    while (at < end) {
        int number = data[at];
        if (number == 0) {
            at++;
            continue;
        }
        int length = at + 2 <= end ? data[at + 1] : end, after = at + 2 + length;
        if (after > end) {
            blot(data, at, end);
            break;
        }
        bool kept = number < TABLE_IDS && table[number] != 0;
        if (number == cc) {
            kept = false;
            if (length == 2 && found.cc < 0)
                found.cc = get16(data + at + 2);
        } else if (number == stamp) {
            kept = kept && length == 3 && !found.stamp_at;
            if (kept)
                found.stamp_at = at + 2;
        } else if (number == mid) {
            kept = false;
        }
        if (!kept)
            blot(data, at, after);
        at = after;
    }
    return found;
}

places rtp_clean_extensions(uint8_t *data, int payload, const uint8_t table[TABLE_IDS], int cc,
                            int stamp, int mid)
{
    int at = HEADER_BYTES + 4 * (data[0] & 15);
    uint16_t form = get16(data + at);
    at += 4;
    if (form == ONE_BYTE)
        return clean_short(data, at, payload, table, cc, stamp, mid);
    if ((form & 0xFFF0) == TWO_BYTE)
        return clean_long(data, at, payload, table, cc, stamp, mid);
    blot(data, at, payload);
    return (places){-1, 0, 0, 0};
}

void rtp_rename_extensions(uint8_t *data, int payload, const uint8_t table[TABLE_IDS])
{
    int at = HEADER_BYTES + 4 * (data[0] & 15);
    bool is_short = get16(data + at) == ONE_BYTE;
    at += 4;
    while (at < payload) {
        uint8_t head = data[at];
        if (head == 0) {
            at++;
            continue;
        }
        int number = is_short ? head >> 4 : head & 15;
        int after = at + 2 + (is_short ? head & 15 : at + 1 < payload ? data[at + 1] : 0);
        if (after > payload) /* not what was cleaned */
            after = payload;
        int renamed = table[number] & 15;
        if (renamed == 0)
            blot(data, at, after);
        else
            data[at] = (uint8_t)(is_short ? renamed << 4 | (head & 15) : renamed);
        at = after;
    }
}

void rtp_put_mid(uint8_t *data, int mid_at, const uint8_t *mid, int mid_size)
{
    uint8_t head = data[mid_at - 1];
    int length = (head & 15) + 1;
    blot(data, mid_at - 1, mid_at + length);
    if (mid_size > 0 && mid_size <= length) {
        data[mid_at - 1] = (uint8_t)((head & 0xF0) | (mid_size - 1));
        memcpy(data + mid_at, mid, (size_t)mid_size);
    }
}

int rtp_unwrap_rtx(uint8_t *data, int payload, int *size, uint8_t payload_type, uint32_t ssrc)
{
    int bytes = *size - rtp_padding_bytes(data, payload, *size);
    if (bytes - payload < 3)
        return -1;
    uint16_t seq = get16(data + payload);
    memmove(data + payload, data + payload + 2, (size_t)(bytes - payload - 2));
    data[0] &= 0xDF;
    data[1] = (uint8_t)((data[1] & 0x80) | payload_type);
    put16(data + 2, seq);
    put32(data + 8, ssrc);
    *size = bytes - 2;
    return seq;
}
