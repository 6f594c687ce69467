#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static int64_t now_us;

static int64_t
test_monotonic_us(void)
{
	return now_us;
}

/* Lines go to a pipe; each test starts a second of its own, so that no repeat is counted over. */
struct fixture {
	int fds[2];
	char text[65536];
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	if (fixture == NULL || pipe2(fixture->fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	now_us += 10000000;
	clock_override(NULL, test_monotonic_us);
	log_set_fd(fixture->fds[1]);
	log_set_level(LOG_LEVEL_INFO);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;
	log_set_fd(STDERR_FILENO);
	clock_override(NULL, NULL);
	close(fixture->fds[0]);
	close(fixture->fds[1]);
	free(fixture);
	return 0;
}

static const char *
written(struct fixture *fixture)
{
	ssize_t len = read(fixture->fds[0], fixture->text, sizeof(fixture->text) - 1);
	fixture->text[len < 0 ? 0 : len] = '\0';
	return fixture->text;
}

static size_t
count_lines(const char *text)
{
	size_t lines = 0;
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void
log_line_has_priority_event_and_fields(void **state)
{
	log_info("key.created", LOG_TEXT("vault", "west"), LOG_INT("bits", 3072),
		LOG_INT("low", -1));

	assert_string_equal(written(*state), "<6>key.created vault=west bits=3072 low=-1\n");
}

/* C20: nothing a caller names can end a line, forge a field or talk to a terminal. */
static void
C20_log_values_are_escaped(void **state)
{
	log_info("e", LOG_TEXT("a", "x y"), LOG_TEXT("b", "l\nevil=1"), LOG_TEXT("c", "\"\\"),
		LOG_TEXT("d", "\x1b[1m\x7f"), LOG_TEXT("e", ""), LOG_TEXT("f", NULL),
		LOG_TEXT("g", "k=v"), LOG_TEXT("h", "\xc3\xa4"));

	assert_string_equal(written(*state),
		"<6>e a=\"x y\" b=\"l\\x0aevil=1\" c=\"\\\"\\\\\" d=\"\\x1b[1m\\x7f\""
		" e=\"\" f=- g=\"k=v\" h=\xc3\xa4\n");
}

/* C20: terminals obey C1 controls too: c2 9b is CSI, as ESC [ is. What is next to them in UTF-8 is text. */
static void
C20_log_c1_controls_are_escaped(void **state)
{
	log_info("e", LOG_TEXT("a", "\xc2\x80"),
		LOG_TEXT("b", "x\xc2\x9b"
			      "31my"),
		LOG_TEXT("c", "\xc2\x9f\xc2\xa0"), LOG_TEXT("d", "\xc2\xa0"),
		LOG_TEXT("e", "\xc3\x80\xe2\x82\x9b"), LOG_TEXT("f", "\xc2"));

	assert_string_equal(written(*state),
		"<6>e a=\"\\xc2\\x80\" b=\"x\\xc2\\x9b31my\" c=\"\\xc2\\x9f\xc2\xa0\" d=\xc2\xa0"
		" e=\xc3\x80\xe2\x82\x9b f=\xc2\n");
}

static void
log_level_drops_what_is_above(void **state)
{
	log_debug("hidden", LOG_INT("n", 1));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown", LOG_INT("n", 2));
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("hidden", LOG_INT("n", 3));
	log_error("error", LOG_INT("n", 4));

	assert_string_equal(written(*state), "<7>shown n=2\n<3>error n=4\n");
}

/* C20: nor can it push what follows off the line. */
static void
C20_log_value_too_long_is_cut(void **state)
{
	char text[5000];
	for (size_t len = 511; len < sizeof(text); len += len == 511 || len == 512 ? 1 : 4486) {
		memset(text, '"', len);
		text[len] = '\0';

		log_info("long", LOG_TEXT("text", text), LOG_TEXT("after", "2"));

		const char *line = written(*state);
		const char *end = len > 512 ? "\\\"\"... after=2\n" : "\\\"\" after=2\n";
		size_t shown = len > 512 ? 512 : len;
		assert_int_equal(count_lines(line), 1);
		assert_int_equal(
			strlen(line), strlen("<6>long text=\"") + 2 * (shown - 1) + strlen(end));
		assert_string_equal(line + strlen(line) - strlen(end), end);
	}
}

static void
log_line_of_any_length_ends(void **state)
{
	char full[513];
	char text[513];
	size_t longest = 0;
	memset(full, 'x', sizeof(full) - 1);
	full[sizeof(full) - 1] = '\0';

	for (size_t len = 480; len < sizeof(text); len++) {
		memset(text, 'x', len);
		text[len] = '\0';

		log_info("long", LOG_TEXT("a", full), LOG_TEXT("b", full), LOG_TEXT("c", full),
			LOG_TEXT("d", text));

		const char *line = written(*state);
		assert_int_equal(count_lines(line), 1);
		assert_int_equal(line[strlen(line) - 1], '\n');
		longest = strlen(line) > longest ? strlen(line) : longest;
	}

	assert_int_equal(longest, 2049); /* 2 KiB and the newline */
}

static void
log_repeats_of_a_complaint_are_counted(void **state)
{
	static const char event[] = "token.failed";

	for (int i = 0; i < 100; i++)
		log_warning(event, LOG_INT("n", i));
	assert_int_equal(count_lines(written(*state)), 20);
	now_us += 1000000;
	log_warning(event, LOG_INT("n", 100));

	assert_string_equal(written(*state), "<4>token.failed n=100 repeats=80\n");
}

static void
log_requests_are_never_left_out(void **state)
{
	for (int i = 0; i < 100; i++)
		log_info("request", LOG_INT("n", i));

	assert_int_equal(count_lines(written(*state)), 100);
}

static void
log_err_has_name_class_message_and_origin(void **state)
{
	struct err err;
	(void)err_set(&err, ERR_UNAVAILABLE, "no token");
	(void)err_origin(&err, "C_Sign: CKR_DEVICE_ERROR");

	log_err(LOG_LEVEL_ERROR, "sign.failed", &err, LOG_TEXT("token", "west"));
	log_err(LOG_LEVEL_ERROR, "sign.again", &err, (struct log_field){"-", NULL, 0});

	assert_string_equal(written(*state),
		"<3>sign.failed error=ServiceUnavailable class=unavailable message=\"no token\""
		" origin=\"C_Sign: CKR_DEVICE_ERROR\" token=west\n"
		"<3>sign.again error=ServiceUnavailable class=unavailable message=\"no token\""
		" origin=\"C_Sign: CKR_DEVICE_ERROR\"\n");
}

static void
log_to_a_full_pipe_does_not_stop(void **state)
{
	(void)state;

	for (int i = 0; i < 10000; i++)
		log_info("flood", LOG_INT("n", i));
}

static void
log_level_parse_knows_the_four(void **state)
{
	(void)state;
	enum log_level level = LOG_LEVEL_DEBUG;

	assert_true(log_level_parse("warning", &level));
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_true(log_level_parse("info", &level));
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_false(log_level_parse("Debug", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			log_line_has_priority_event_and_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(C20_log_values_are_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(C20_log_c1_controls_are_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(log_level_drops_what_is_above, setup, teardown),
		cmocka_unit_test_setup_teardown(C20_log_value_too_long_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(log_line_of_any_length_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
			log_repeats_of_a_complaint_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(log_requests_are_never_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
			log_err_has_name_class_message_and_origin, setup, teardown),
		cmocka_unit_test_setup_teardown(log_to_a_full_pipe_does_not_stop, setup, teardown),
		cmocka_unit_test(log_level_parse_knows_the_four),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
