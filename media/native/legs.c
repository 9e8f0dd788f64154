/* Legs, their addresses and routes, as Python makes and asks of them. The locks: path.c. */
#include "inside.h"

/* Make `where` the leg's; false when there is no memory. */
static bool own(path *p, leg *l, const address *where)
{
    owner **link = owner_link(p, where);
    if (!*link) {
        *link = calloc(1, sizeof **link);
        if (!*link)
            return false;
        (*link)->where = *where;
    }
    (*link)->leg = l;
    return true;
}

static void disown(path *p, const leg *l, const address *where)
{
    owner **link = owner_link(p, where), *gone = *link;
    if (gone && gone->leg == l) {
        *link = gone->next;
        free(gone);
    }
}

handle leg_add(path *p)
{
    leg *l = calloc(1, sizeof *l);
    if (!l)
        return FULL;
    enter(p);
    l->self = pool_put(&p->legs, l);
    if (l->self)
        LEAVE(l->self);
    free(l);
    LEAVE(FULL);
}

static void free_leg(path *p, leg *l)
{
    for (int i = 0; i < l->line_count; i++)
        disown(p, l, &l->lines[i].where);
    free(l);
}

int leg_remove(path *p, handle h)
{
    enter(p);
    leg *l = pool_take(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    for (int i = 0; i < p->sinks.size; i++) {
        sink *s = p->sinks.items[i];
        if (s && s->leg == h)
            end_sink(p, s);
    }
    free_leg(p, l);
    leave(p);
    settle(p);
    return 0;
}

/* Take the two sessions, or none any more; the ones before are the caller's again. */
int leg_keys(path *p, handle h, void *inbound, void *outbound)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    l->inbound = inbound;
    l->outbound = outbound;
    leave(p);
    settle(p);
    return 0;
}

/* Know the address; a ninth is not taken. */
int leg_allow(path *p, handle h, const address *where, double until)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    line *found = line_of(l, where);
    if (!found && l->line_count == MAX_ADDRESSES)
        LEAVE(0);
    if (!own(p, l, where))
        LEAVE(FULL);
    if (!found) {
        found = &l->lines[l->line_count++];
        found->where = *where;
    }
    found->until = until;
    if (!l->used)
        l->used = found;
    LEAVE(0);
}

int leg_forbid(path *p, handle h, const address *where)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    line *found = line_of(l, where);
    if (found) {
        line *last = &l->lines[l->line_count - 1];
        disown(p, l, where);
        if (l->used == found)
            l->used = NULL;
        else if (l->used == last)
            l->used = found;
        *found = *last;
        l->line_count--;
    }
    leave(p);
    settle(p);
    return 0;
}

int leg_use(path *p, handle h, const address *where)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    line *found = line_of(l, where);
    if (found)
        use_line(l, found);
    LEAVE(0);
}

static bool same_ids(const route *a, const route *b)
{
    return memcmp(a->table, b->table, TABLE_IDS) == 0 && a->cc == b->cc && a->stamp == b->stamp &&
           a->mid == b->mid;
}

int leg_routes(path *p, handle h, const route *routes, int count)
{
    if (count < 0 || count > MAX_ROUTES)
        return FULL;
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    for (int i = 0; i < count; i++)
        if (!pool_get(&p->sources, routes[i].source))
            LEAVE(GONE);
    memset(l->route_of, 0, sizeof l->route_of);
    l->route_count = count;
    for (int i = 0; i < count; i++) {
        source *s = pool_get(&p->sources, routes[i].source);
        if (!same_ids(&routes[i], &s->ids)) {
            if (s->has_ids) /* packets under other ids are forgotten */
                interrupt(s);
            s->ids = routes[i];
        }
        s->has_ids = true;
        l->routes[i] = routes[i];
        l->route_of[routes[i].payload_type & 0x7F] = (uint8_t)(i + 1);
    }
    LEAVE(0);
}

int leg_read(path *p, handle h, leg_facts *facts)
{
    enter(p);
    leg *l = pool_get(&p->legs, h);
    if (!l)
        LEAVE(GONE);
    *facts = l->facts;
    memset(&facts->used, 0, sizeof facts->used);
    if (l->used)
        facts->used = l->used->where;
    LEAVE(0);
}

int leg_moved(path *p, handle *out, int room)
{
    int count = 0;
    enter(p);
    for (int i = 0; i < p->legs.size && count < room; i++) {
        leg *l = p->legs.items[i];
        if (l && l->moved) {
            l->moved = false;
            out[count++] = l->self;
        }
    }
    LEAVE(count);
}
