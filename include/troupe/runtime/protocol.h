/*
 * protocol - typed messages: what an actor understands, said once in a list
 *
 *     struct add   { uint64_t by; };
 *     struct read  {};
 *     struct total { uint64_t n; };
 *
 *     #define COUNTER(P, TELL, ASK)            \
 *         TELL(P, add,  struct add)            \
 *         ASK (P, read, struct read, struct total)
 *     TR_PROTOCOL(counter, COUNTER)            in a header, or before the actor
 *
 *     struct counter { uint64_t n; };          the state
 *     static void counter_on_add(tr_ctx *ctx, struct counter *self, struct add *m) ...
 *     static void counter_on_read(tr_ctx *ctx, struct counter *self, struct read *m,
 *                                 counter_read_reply reply) ...
 *     TR_ACTOR(counter, COUNTER)               in one .c file
 *
 * A message of the wrong type, a missing handler or one with the wrong
 * parameters does not compile; nothing is cast by hand.
 *
 * What TR_PROTOCOL(counter, COUNTER) makes:
 *     counter_ref                             the typed pid: { tr_pid pid; }
 *     counter_spawn(from, state)              -> counter_ref; panics if it cannot,
 *                                             as std::thread::spawn
 *     counter_try_spawn(from, state, options, &ref)      -> tr_status
 *     counter_self(ctx)                       -> counter_ref of the running actor
 *     counter_stop(from, ref), counter_join(system, ref, timeout, &exit)
 *   for each TELL(P, add, struct add):
 *     counter_add(from, ref, message)         consumed in any case (tr_tell)
 *     counter_try_add(from, ref, &message)    kept on failure (tr_try_tell)
 *   for each ASK(P, read, struct read, struct total):
 *     counter_read_wait(system, ref, question, timeout, &answer)    (tr_ask_wait)
 *     counter_read_reply                      the typed reply, given to the handler
 *     counter_read_answer(reply, answer)
 *     counter_read_keep(reply), counter_read_drop(reply)
 *
 * A message type that owns something names its destructor behind its type, for
 * the case that it is not handled, and for what its handler leaves in it:
 *     TELL(P, chunk, struct chunk, .drop = chunk_drop)
 *     ASK (P, take, struct take, struct chunk, .answer_drop = chunk_drop)
 *
 * TR_ACTOR takes hooks, all optional, with the state's own type:
 *     TR_ACTOR(counter, COUNTER, .start = counter_start, .stop = counter_stop_hook,
 *              .drop = counter_drop)
 */
#ifndef TROUPE_RUNTIME_PROTOCOL_H
#define TROUPE_RUNTIME_PROTOCOL_H

#include <troupe/mem/panic.h>
#include <troupe/runtime/ask.h>

#define TR_PROTOCOL(P, LIST)                                                                       \
    struct P;                                                                                      \
    typedef struct P##_ref {                                                                       \
        tr_pid pid;                                                                                \
    } P##_ref;                                                                                     \
    enum { LIST(P, TR_TAG_TELL_, TR_TAG_ASK_) P##_protocol_size_ };                                 \
    TR_BEHAVIOUR_(P)                                                                               \
    extern const tr_protocol P##_protocol;                                                         \
    LIST(P, TR_TYPE_TELL_, TR_TYPE_ASK_)                                                           \
    TR_SHARED_DATA const tr_message_type *const P##_messages_[] = { LIST(P, TR_ROW_, TR_ROW_) };    \
    TR_SHARED_DATA const tr_protocol P##_protocol = { #P, P##_protocol_size_, P##_messages_ };       \
    TR_PROTOCOL_LIFE_(P)                                                                           \
    LIST(P, TR_CALLS_TELL_, TR_CALLS_ASK_)

#define TR_ACTOR(P, LIST, ...)                                                                     \
    LIST(P, TR_HANDLER_TELL_, TR_HANDLER_ASK_)                                                     \
    static const tr_handler P##_handlers_[] = { LIST(P, TR_HANDLER_ROW_, TR_HANDLER_ROW_) };       \
    const union P##_behaviour_of_ P##_behaviour = { .typed = {                                      \
        .name = #P,                                                                                \
        .protocol = &P##_protocol,                                                                 \
        .state_size = TR_SIZEOF(struct P),                                                         \
        .state_align = TR_ALIGNOF(struct P),                                                       \
        .handlers = P##_handlers_,                                                                 \
        ##__VA_ARGS__                                                                              \
    } };

/* -- the parts, one line of the list at a time ------------------------------ */

#define TR_TAG_TELL_(P, m, T, ...) P##_tag_##m##_,
#define TR_TAG_ASK_(P, m, Q, A, ...) P##_tag_##m##_,
#define TR_ROW_(P, m, ...) &P##_message_##m##_.type,
#define TR_HANDLER_ROW_(P, m, ...) P##_handle_##m##_,

/* tr_behaviour with hooks that take the state's own type. */
#define TR_BEHAVIOUR_(P)                                                                           \
    union P##_behaviour_of_ {                                                                       \
        struct {                                                                                   \
            const char *name;                                                                      \
            const tr_protocol *protocol;                                                           \
            size_t state_size;                                                                     \
            size_t state_align;                                                                    \
            const tr_handler *handlers;                                                            \
            void (*start)(tr_ctx * ctx, struct P * self) TR_OPTIONAL;                              \
            void (*stop)(tr_ctx * ctx, struct P * self, const tr_exit *why) TR_OPTIONAL;           \
            void (*drop)(struct P * self) TR_OPTIONAL;                                             \
        } typed;                                                                                   \
        tr_behaviour type;                                                                         \
    };                                                                                             \
    extern const union P##_behaviour_of_ P##_behaviour;

/* The message type, with .drop and .answer_drop checked against T's pointer. */
#define TR_MESSAGE_(P, m, T, A, ...)                                                               \
    TR_SHARED_DATA const union P##_message_of_##m##_ {                                             \
        struct {                                                                                   \
            size_t size;                                                                           \
            void (*drop)(T * payload);                                                             \
            const tr_protocol *protocol;                                                           \
            uint32_t tag;                                                                          \
            uint32_t flags;                                                                        \
            uint16_t align;                                                                        \
            uint16_t offset_;                                                                      \
            uint16_t pool_class_;                                                                  \
            const char *name;                                                                      \
            const char *answer_name;                                                               \
            size_t answer_size;                                                                    \
            size_t answer_align;                                                                   \
            void (*answer_drop)(A * answer);                                                       \
        } typed;                                                                                   \
        tr_message_type type;                                                                      \
    } P##_message_##m##_ = { .typed = { __VA_ARGS__ } };

#ifndef __cplusplus
#define TR_TYPE_TELL_(P, m, T, ...)                                                                \
    TR_MESSAGE_(P, m, T, void, .name = #m,                                                         \
                TR_MESSAGE_BLOCK_(sizeof(T), _Alignof(T), TR_TELL_HEADER_),                        \
                .protocol = &P##_protocol, .tag = P##_tag_##m##_, ##__VA_ARGS__)
#define TR_TYPE_ASK_(P, m, Q, A, ...)                                                              \
    TR_MESSAGE_(P, m, Q, A, .name = #m, TR_MESSAGE_BLOCK_(sizeof(Q), _Alignof(Q), TR_ASK_HEADER_), \
                .protocol = &P##_protocol, .tag = P##_tag_##m##_, .answer_name = #A,                  \
                .answer_size = sizeof(A), .answer_align = _Alignof(A), ##__VA_ARGS__)
#else
/* C++ wants the members in their order: the options are looked at first. */
#define TR_MESSAGE_CXX_(P, m, T, A, header, answer_name, answer_size, answer_align, ...)           \
    TR_BYTEWISE(T)                                                                                 \
    struct P##_options_of_##m##_ {                                                                 \
        void (*drop)(T * payload) TR_OPTIONAL;                                                     \
        uint32_t flags TR_OPTIONAL;                                                                \
        void (*answer_drop)(A * answer) TR_OPTIONAL;                                               \
    };                                                                                             \
    static constexpr P##_options_of_##m##_ P##_options_for_##m##_ = { __VA_ARGS__ };               \
    TR_MESSAGE_(P, m, T, A, TR_SIZEOF(T), P##_options_for_##m##_.drop, &P##_protocol,              \
                P##_tag_##m##_, P##_options_for_##m##_.flags, TR_ALIGNOF(T),                       \
                (uint16_t)TR_OFFSET_(TR_ALIGNOF(T), header),                                       \
                TR_BLOCK_CLASS_(TR_SIZEOF(T), TR_ALIGNOF(T), header), #m, answer_name,             \
                answer_size, answer_align, P##_options_for_##m##_.answer_drop)
#define TR_TYPE_TELL_(P, m, T, ...)                                                                \
    TR_MESSAGE_CXX_(P, m, T, void, TR_TELL_HEADER_, NULL, 0, 0, ##__VA_ARGS__)
#define TR_TYPE_ASK_(P, m, Q, A, ...)                                                              \
    TR_BYTEWISE(A)                                                                                 \
    TR_MESSAGE_CXX_(P, m, Q, A, TR_ASK_HEADER_, #A, TR_SIZEOF(A), TR_ALIGNOF(A),                   \
                    ##__VA_ARGS__)
#endif

#define TR_CALLS_TELL_(P, m, T, ...)                                                               \
    TR_UNUSED static inline tr_status P##_##m(tr_from from, P##_ref to, T message)                 \
    {                                                                                              \
        void *place = tr_tell_place_(from, to.pid, &P##_message_##m##_.type);                      \
        if (TR_LIKELY(place != NULL)) {                                                            \
            __builtin_memcpy(place, &message, TR_SIZEOF(T));                                       \
            return TR_OK;                                                                          \
        }                                                                                          \
        return tr_tell(from, to.pid, &P##_message_##m##_.type, &message);                             \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status P##_try_##m(tr_from from, P##_ref to, T *message) \
    {                                                                                              \
        void *place = tr_tell_place_(from, to.pid, &P##_message_##m##_.type);                      \
        if (TR_LIKELY(place != NULL)) {                                                            \
            __builtin_memcpy(place, message, TR_SIZEOF(T));                                        \
            return TR_OK;                                                                          \
        }                                                                                          \
        return tr_try_tell(from, to.pid, &P##_message_##m##_.type, message);                          \
    }

#define TR_CALLS_ASK_(P, m, Q, A, ...)                                                             \
    typedef struct P##_##m##_reply {                                                               \
        tr_reply reply;                                                                            \
    } P##_##m##_reply;                                                                             \
    TR_UNUSED TR_MUST_USE static inline tr_status P##_##m##_wait(                                  \
        tr_system *system, P##_ref to, Q question, uint64_t timeout, A *ret_answer)                \
    {                                                                                              \
        return tr_ask_wait(system, to.pid, &P##_message_##m##_.type, &question, timeout, ret_answer); \
    }                                                                                              \
    TR_UNUSED static inline void P##_##m##_answer(P##_##m##_reply r, A answer)                     \
    {                                                                                              \
        tr_reply_answer(r.reply, &P##_message_##m##_.type, &answer);                                  \
    }                                                                                              \
    TR_UNUSED static inline P##_##m##_reply P##_##m##_keep(P##_##m##_reply r)                      \
    {                                                                                              \
        return (P##_##m##_reply){ tr_reply_keep(r.reply) };                                        \
    }                                                                                              \
    TR_UNUSED static inline void P##_##m##_drop(P##_##m##_reply r)                                 \
    {                                                                                              \
        tr_reply_drop(r.reply);                                                                    \
    }

#define TR_PROTOCOL_LIFE_(P)                                                                       \
    TR_UNUSED TR_MUST_USE static inline tr_status P##_try_spawn(                                   \
        tr_from from, struct P *state, const tr_spawn_options *options, P##_ref *ret_ref)          \
    {                                                                                              \
        return tr_spawn(from, &P##_behaviour.type, state, options, &ret_ref->pid);                      \
    }                                                                                              \
    TR_UNUSED static inline P##_ref P##_spawn(tr_from from, struct P *state)                       \
    {                                                                                              \
        P##_ref ref = { TR_PID_NONE };                                                             \
        TR_MUST(tr_spawn(from, &P##_behaviour.type, state, NULL, &ref.pid));                            \
        return ref;                                                                                \
    }                                                                                              \
    TR_UNUSED static inline P##_ref P##_self(const tr_ctx *ctx)                                    \
    {                                                                                              \
        return (P##_ref){ tr_self(ctx) };                                                          \
    }                                                                                              \
    TR_UNUSED static inline tr_status P##_stop(tr_from from, P##_ref ref)                          \
    {                                                                                              \
        return tr_stop(from, ref.pid);                                                             \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status P##_join(tr_system *system, P##_ref ref,         \
                                                           uint64_t timeout, tr_exit *ret_exit)    \
    {                                                                                              \
        return tr_join(system, ref.pid, timeout, ret_exit);                                        \
    }

#define TR_CHECK_HANDLER_(P, m, TYPE, TEXT)                                                        \
    TR_STATIC_ASSERT(TR_SAME_TYPE(__typeof__(P##_on_##m), TYPE),                                   \
                     #P "_on_" #m " must be void (tr_ctx *, struct " #P " *, " TEXT ")");

#define TR_HANDLER_TELL_(P, m, T, ...)                                                             \
    TR_CHECK_HANDLER_(P, m, void(tr_ctx *, struct P *, T *), #T " *")                              \
    static void P##_handle_##m##_(tr_ctx *ctx, void *self, void *payload, tr_reply reply)          \
    {                                                                                              \
        (void)reply;                                                                               \
        P##_on_##m(ctx, (struct P *)self, (T *)payload);                                           \
    }
#define TR_HANDLER_ASK_(P, m, Q, A, ...)                                                           \
    TR_CHECK_HANDLER_(P, m, void(tr_ctx *, struct P *, Q *, P##_##m##_reply),                      \
                      #Q " *, " #P "_" #m "_reply")                                                \
    static void P##_handle_##m##_(tr_ctx *ctx, void *self, void *payload, tr_reply reply)          \
    {                                                                                              \
        P##_on_##m(ctx, (struct P *)self, (Q *)payload, (P##_##m##_reply){ reply });               \
    }

#endif
