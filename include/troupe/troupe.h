/*
 * troupe - actors for C; this header brings all of it
 *
 *   mem/       who owns a byte: Box, Arc, pools, panics, atomics
 *   channels/  moving ownership between threads
 *   runtime/   who runs when: systems, actors, protocols, stats
 */
#ifndef TROUPE_H
#define TROUPE_H

#include <troupe/mem/allocator.h>
#include <troupe/mem/arc.h>
#include <troupe/mem/arena.h>
#include <troupe/mem/atomic.h>
#include <troupe/mem/barrier.h>
#include <troupe/mem/box.h>
#include <troupe/mem/call_once.h>
#include <troupe/mem/cell.h>
#include <troupe/mem/buffer_pool.h>
#include <troupe/mem/bytes.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/condvar.h>
#include <troupe/mem/cow.h>
#include <troupe/mem/failing_allocator.h>
#include <troupe/mem/layout.h>
#include <troupe/mem/layout_print.h>
#include <troupe/mem/lazy.h>
#include <troupe/mem/mutex.h>
#include <troupe/mem/object_pool.h>
#include <troupe/mem/once.h>
#include <troupe/mem/panic.h>
#include <troupe/mem/pool.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/rcu_cell.h>
#include <troupe/mem/rcu_list.h>
#include <troupe/mem/rcu_map.h>
#include <troupe/mem/refcell.h>
#include <troupe/mem/rwlock.h>
#include <troupe/mem/ring.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/semaphore.h>
#include <troupe/mem/small_vec.h>
#include <troupe/mem/string.h>
#include <troupe/mem/tracking_allocator.h>
#include <troupe/mem/type.h>
#include <troupe/mem/vec.h>

#include <troupe/channels/broadcast.h>
#include <troupe/channels/channel.h>
#include <troupe/channels/mpsc.h>
#include <troupe/channels/oneshot.h>
#include <troupe/channels/parker.h>
#include <troupe/channels/select.h>
#include <troupe/channels/timed.h>
#include <troupe/channels/thread.h>
#include <troupe/channels/waiter.h>
#include <troupe/channels/watch.h>

#include <troupe/runtime/actor.h>
#include <troupe/runtime/ask.h>
#include <troupe/runtime/protocol.h>
#include <troupe/runtime/stats.h>
#include <troupe/runtime/system.h>

#endif
