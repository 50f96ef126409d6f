/*
 * timed - receivers that get a message when a time has come
 *
 *     tr_time_receiver timeout;
 *     TR_MUST(tr_after(TR_SECONDS(1), &timeout));
 *     uint64_t when;
 *     tr_select_op ops[] = { jobs_select_recv(rx, &job), tr_time_select_recv(timeout, &when) };
 *
 * As crossbeam-channel's after, tick and never: for a time that several selects
 * share, or a beat among other receives. For one wait, tr_select_timeout is
 * simpler and makes nothing.
 *
 * The message is the time it was due (as tr_now). These channels have no sender
 * and are never disconnected; their capacity is 1, tr_channel_len is 1 while the
 * message is due and not taken. Drop them with tr_time_receiver_drop.
 *
 * Threads  one at a time, as any receiver.
 * Progress no thread and no timer of the system stands behind them: the call that
 *          receives looks at the clock, and sleeps until then.
 * Memory   one small block each.
 */
#ifndef TROUPE_CHANNELS_TIMED_H
#define TROUPE_CHANNELS_TIMED_H

#include <troupe/channels/channel.h>

TR_BEGIN_DECLS

/* tr_time_receiver, tr_time_recv ..., and tr_time_never(). */
TR_CHANNEL(tr_time, uint64_t)

/*
 * One message, `duration` ns from now, then none for ever. A time that does not
 * fit the clock never comes. TR_NOMEM.
 */
TR_API TR_MUST_USE tr_status tr_after(uint64_t duration, tr_time_receiver *ret_receiver);

/*
 * A message every `period` ns, the first one period from now. Who is late gets one
 * message, not several: the next one is a period after the one taken, or after
 * now if that has passed too. TR_NOMEM.
 */
TR_API TR_MUST_USE tr_status tr_tick(uint64_t period, tr_time_receiver *ret_receiver);

TR_END_DECLS

#endif
