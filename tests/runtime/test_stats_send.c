/*
 * test_stats_send - a snapshot reaches a reader that reads, and waits for no other
 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <troupe/mem/clock.h>

#include "runtime/stats_socket.h"

/* A pair whose writing end, [0], holds a few KiB and does not block. */
static void make_narrow_pair(int ret_pair[2])
{
    const int bytes = 4096;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_pair), 0);
    assert_int_equal(setsockopt(ret_pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
    assert_int_equal(fcntl(ret_pair[0], F_SETFL, O_NONBLOCK), 0);
}

static unsigned char payload[1 << 18], received[1 << 18];

static void test_stats_send_gives_a_slow_reader_up(void **state)
{
    (void)state;
    int pair[2];
    make_narrow_pair(pair);
    const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const uint64_t deadline = tr_now() + TR_MILLISECONDS(20);
    assert_int_equal(tri_stats_socket_send(pair[0], stop, payload, sizeof(payload), deadline),
                     TR_TIMEOUT);
    assert_true(tr_now() >= deadline);

    const uint64_t one = 1; /* and at once when the system stops */
    assert_int_equal(write(stop, &one, sizeof(one)), sizeof(one));
    assert_int_equal(tri_stats_socket_send(pair[0], stop, payload, sizeof(payload), TR_FOREVER / 2),
                     TR_SHUTDOWN);
    (void)close(pair[1]); /* no SIGPIPE: it would end this program */
    assert_int_equal(tri_stats_socket_send(pair[0], stop, payload, sizeof(payload), TR_FOREVER / 2),
                     TR_DISCONNECTED);
    (void)close(pair[0]);
    (void)close(stop);
}

static void read_payload(unsigned index, void *arg)
{
    (void)index;
    const int *pair = arg;
    size_t length = 0;
    for (ssize_t got; (got = read(pair[1], received + length, sizeof(received) - length)) > 0;)
        length += (size_t)got;
}

static void test_stats_send_waits_for_a_reader_that_reads(void **state)
{
    (void)state;
    int pair[2];
    make_narrow_pair(pair);
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (unsigned char)(i * 31 >> 3);
    test_threads reader;
    test_threads_start(&reader, 1, read_payload, pair);
    const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(tri_stats_socket_send(pair[0], stop, payload, sizeof(payload),
                                           tr_now() + TR_SECONDS(30)),
                     TR_OK);
    (void)close(pair[0]);
    test_threads_join(&reader);
    assert_memory_equal(received, payload, sizeof(payload));
    (void)close(pair[1]);
    (void)close(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stats_send_gives_a_slow_reader_up),
        TEST(test_stats_send_waits_for_a_reader_that_reads),
    };
    return TEST_RUN(tests);
}
