/*
 * watch - being told when an actor ends
 *
 * The request travels as a message through the mailbox, so that it is ordered
 * with everything else: if the actor ends before it takes the request, whoever
 * empties the mailbox answers it.
 */
#ifndef RUNTIME_WATCH_H
#define RUNTIME_WATCH_H

#include "runtime/actor_block.h"

extern __attribute__((visibility("hidden"))) const tr_message_type tri_watch_type;

static inline bool tri_watch_is(const tri_message *message)
{
    return message->type == &tri_watch_type;
}

/* The actor is running and takes the request: it is told at its end. */
void tri_watch_accept(tri_actor *actor, tri_message *message);

/* The actor has ended; why may be NULL: not known any more. The block stays. */
void tri_watch_complete(tri_message *message, const tr_exit *why);

#endif
