/*
 * stats_socket - answers `troupe stat`: one thread that sleeps until asked
 *
 *   troupe stat --connect--> PID-N.sock --> [thread] --tr_system_get_*--> system
 *               <--one snapshot, EOF--
 *
 * Threads   start and stop are called by one thread at a time; not a worker.
 * Progress  an idle system's thread sleeps in poll. A reader that does not read
 *           is given up after TRI_STATS_PATIENCE ns, or at once by stop.
 * Memory    one block of the global allocator, made by start and freed by stop;
 *           three descriptors (directory, socket, event), all close-on-exec.
 */
#ifndef RUNTIME_STATS_SOCKET_H
#define RUNTIME_STATS_SOCKET_H

#include <troupe/runtime/system.h>

typedef struct tri_stats_socket tri_stats_socket;

#define TRI_STATS_PATIENCE TR_SECONDS(1)

/*
 * Serve the system's numbers under this name, which is copied. When TROUPE_STATS=0
 * is in the environment nothing is started and *ret_socket is NULL. A failure is
 * no reason to stop: go on without.
 * TR_IO: no private directory, or no socket in it; TR_LIMIT: no descriptors or
 * threads left; TR_NOMEM.
 */
TR_MUST_USE tr_status tri_stats_socket_start(tr_system *system, const char *name,
                                             tri_stats_socket **ret_socket);

/*
 * Unlink the socket, end the thread, free all. Call it while tr_system_get_*
 * may still be called on the system. NULL is accepted.
 */
void tri_stats_socket_stop(tri_stats_socket *socket);

/*
 * Send all bytes on a non-blocking socket. TR_TIMEOUT: the deadline (ns of the
 * monotonic clock) passed; TR_SHUTDOWN: the descriptor `stop` became readable;
 * TR_DISCONNECTED: the reader has gone.
 */
TR_MUST_USE tr_status tri_stats_socket_send(int peer, int stop, const void *bytes, size_t size,
                                            uint64_t deadline);

#endif
