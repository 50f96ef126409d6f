/*
 * pid - the address of an actor, a plain 64-bit value
 *
 *     | node 8 | generation 28 | index 28 |
 *
 * Copy it, compare it, keep it, put it into messages: it owns nothing and keeps
 * nothing alive, so actors that know each other form no cycle. The pid of an
 * actor that ended is harmless: a send to it answers TR_DEAD. A pid is never
 * used again for another actor (as in Erlang, but exactly: an index whose
 * generations are used up is retired).
 */
#ifndef TROUPE_RUNTIME_PID_H
#define TROUPE_RUNTIME_PID_H

#include <troupe/mem/base.h>

typedef struct tr_pid {
    uint64_t bits;
} tr_pid;

/* No actor. Sends to it answer TR_INVALID. */
#define TR_PID_NONE ((tr_pid){ 0 })

#define TR_PID_INDEX_BITS 28u
#define TR_PID_GENERATION_BITS 28u

/* Do both name the same actor (or both none)? */
static inline bool tr_pid_eq(tr_pid a, tr_pid b)
{
    return a.bits == b.bits;
}

/* Is it TR_PID_NONE? */
static inline bool tr_pid_is_none(tr_pid pid)
{
    return pid.bits == 0;
}

#endif
