/*
 * send - a message's way into a mailbox
 *
 *     tell -> resolve the pid -> reserve room -> make the message -> push
 *                                                  worker: by its outbox
 *                                                  outside: at once
 *     the push that finds the actor idle makes it ready: run queue, or injection
 */
#ifndef RUNTIME_SEND_H
#define RUNTIME_SEND_H

#include "runtime/message.h"

#include <troupe/runtime/system.h>

/* Send a message of the runtime's own from outside, exempt from the bounds.
 * Takes one of the answer's references on TR_OK. */
tr_status tri_send_exempt(tr_system *system, tr_pid to, const tr_message_type *type, tri_answer *answer);

/* As tr_try_tell for an ask: takes one of the answer's references on TR_OK. */
tr_status tri_send_ask(tr_system *system, tr_pid to, const tr_message_type *type, void *question,
                       tri_answer *answer);

#endif
