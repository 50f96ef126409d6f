/*
 * test_status - every code has a name and a text of its own
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/status.h>

static void test_status_ok_is_zero(void **state)
{
    (void)state;
    assert_int_equal(TR_OK, 0);
    assert_string_equal(tr_status_name(TR_OK), "TR_OK");
    assert_string_equal(tr_status_name(TR_FULL), "TR_FULL");
}

static void test_status_codes_have_names_and_texts_of_their_own(void **state)
{
    (void)state;
    for (int i = TR_OK; i <= TR_LAGGED; i++) {
        assert_string_not_equal(tr_status_name((tr_status)i), "TR_?");
        for (int j = TR_OK; j < i; j++) {
            assert_string_not_equal(tr_status_name((tr_status)i), tr_status_name((tr_status)j));
            assert_string_not_equal(tr_status_text((tr_status)i), tr_status_text((tr_status)j));
        }
    }
}

static void test_status_number_that_is_none_is_named_so(void **state)
{
    (void)state;
    assert_string_equal(tr_status_name((tr_status)(TR_LAGGED + 1)), "TR_?");
    assert_string_equal(tr_status_name((tr_status)-1), "TR_?");
    assert_true(strlen(tr_status_text((tr_status)12345)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_ok_is_zero),
        TEST(test_status_codes_have_names_and_texts_of_their_own),
        TEST(test_status_number_that_is_none_is_named_so),
    };
    return TEST_RUN(tests);
}
