/*
 * ask - a message that is answered
 *
 *   asker --question, reply--> [ mailbox ] --> handler
 *     ^                                          |
 *     '------ answer, or why there is none ------'
 *
 * An ask completes exactly once: with the answer, or with TR_TIMEOUT, TR_DEAD
 * (the actor ended first) or TR_BROKEN (its handler returned without an answer).
 * An answer that comes too late is dropped.
 *
 * A handler that cannot answer yet keeps its reply (tr_reply_keep) - in the
 * actor's state, or in a message to another actor, which then answers.
 *
 * Threads  a reply may be answered by any thread, once.
 */
#ifndef TROUPE_RUNTIME_ASK_H
#define TROUPE_RUNTIME_ASK_H

#include <troupe/runtime/actor.h>

TR_BEGIN_DECLS

/*
 * Ask and wait for the answer, outside of actors. *question is consumed when
 * the status is TR_OK, TR_TIMEOUT, TR_DEAD after the actor had taken it, or
 * TR_BROKEN - to keep it simple: the question is consumed in any case, as by
 * tr_tell; a refused one is no dead letter, since the asker is told. type->answer_size bytes are moved to *ret_answer on TR_OK only.
 * timeout is in ns; 0 is TR_INVALID and sends nothing. TR_FULL, TR_NOMEM,
 * TR_SHUTDOWN, TR_INVALID as tr_try_tell. On a worker it panics: a handler must
 * not block.
 */
TR_API TR_MUST_USE tr_status tr_ask_wait(tr_system *system, tr_pid to, const tr_message_type *type,
                                         void *question, uint64_t timeout, void *ret_answer);

/*
 * Complete the ask; *answer is moved out. The reply is used up. In the handler
 * that was given it a second answer panics; a kept reply must not be used again,
 * its block may be gone.
 */
TR_API void tr_reply_answer(tr_reply reply, const tr_message_type *type, void *answer);

/* Keep the reply beyond this handler. The result must be answered or dropped
 * once; the handler's own copy is used up. Keeping twice, or elsewhere than in
 * the handler that was given it, panics. */
TR_API tr_reply tr_reply_keep(tr_reply reply);

/* Give up a kept reply: the asker gets TR_BROKEN. */
TR_API void tr_reply_drop(tr_reply reply);

TR_END_DECLS

#endif
