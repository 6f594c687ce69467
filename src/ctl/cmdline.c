/* Invariant: a value gets into `options` only for an option that the command takes. */
#include "cmdline.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SHORT_MAX  (2 + 3 * COMMAND_OPTIONS_MAX)
#define LONG_FIRST 256 /* values of long options begin above all letters */

struct parser {
	const struct command_table *table;
	const struct command *command;
	struct cmdline *options;
	char short_options[SHORT_MAX];
	struct option long_options[COMMAND_OPTIONS_MAX + 1];
	int list; /* the LIST option that takes the words that follow; -1: none */
	int bare; /* the BOOL option that came last and without a value; -1: none */
};

/* ---- tables for getopt ---- */

static int
argument_of(enum option_kind kind)
{
	if (kind == OPTION_KIND_FLAG)
		return no_argument;
	return kind == OPTION_KIND_BOOL ? optional_argument : required_argument;
}

static void
make_tables(struct parser *parser)
{
	char *letters = parser->short_options;
	struct option *row = parser->long_options;
	*letters++ = '-'; /* arguments in their order, so that lists find theirs */
	*letters++ = ':';
	for (int i = 0; i < parser->table->option_count; i++) {
		const struct option_row *option = &parser->table->options[i];
		if (!command_takes(parser->command, i))
			continue;
		*row++ = (struct option){
			option->name, argument_of(option->kind), NULL, LONG_FIRST + i};
		if (option->letter == 0)
			continue;
		*letters++ = option->letter;
		if (option->kind != OPTION_KIND_FLAG)
			*letters++ = ':';
	}
	*letters = '\0';
	*row = (struct option){NULL, 0, NULL, 0};
}

static int
find_option(const struct parser *parser, int found)
{
	if (found >= LONG_FIRST)
		return found - LONG_FIRST;
	for (int i = 0; i < parser->table->option_count; i++) {
		if (parser->table->options[i].letter == found && command_takes(parser->command, i))
			return i;
	}
	return -1;
}

/* ---- values ---- */

static bool
add_value(struct parser *parser, int option, const char *word, struct err *err)
{
	const struct option_row *row = &parser->table->options[option];
	struct option_values *values = &parser->options->values[option];
	bool several = row->kind == OPTION_KIND_LIST || row->kind == OPTION_KIND_TEXTS;
	if (values->count > 0 && !several)
		return err_set(err, ERR_CLIENT_USAGE, "--%s is given twice.", row->name);
	if (values->count == CMDLINE_WORDS_MAX)
		return err_set(err, ERR_CLIENT_USAGE, "--%s has more than %d values.", row->name,
			CMDLINE_WORDS_MAX);
	values->words[values->count++] = word;
	return true;
}

static const char *
bool_word(const char *word)
{
	if (word == NULL)
		return NULL;
	if (strcasecmp(word, "true") == 0)
		return "true";
	return strcasecmp(word, "false") == 0 ? "false" : NULL;
}

/* "--enabled=false", "--enabled false" and "--enabled". */
static bool
add_bool(struct parser *parser, int option, int argc, char **argv, struct err *err)
{
	const char *word = bool_word(optarg);
	if (optarg != NULL && word == NULL)
		return err_set(err, ERR_CLIENT_USAGE, "--%s must be true or false.",
			parser->table->options[option].name);
	if (optarg == NULL && optind < argc) {
		word = bool_word(argv[optind]);
		optind += word != NULL;
		parser->bare = word != NULL ? -1 : option;
	}
	return add_value(parser, option, word != NULL ? word : "true", err);
}

/*
 * Of an option with a list of values: what is typed is one of them, or several with commas for a LIST. az takes
 * them in any case; the daemon gets its own spelling, written over what was typed.
 */
static bool
take_choices(const struct option_row *row, char *typed, struct err *err)
{
	bool words = row->kind == OPTION_KIND_LIST;
	if (!command_lists_values(row->metavar) || row->kind == OPTION_KIND_BOOL)
		return true;
	do {
		size_t len = words ? strcspn(typed, ", ") : strlen(typed);
		const char *known = command_find_value(row->metavar, typed, len);
		if (known == NULL && !(words && len == 0))
			return err_set(err, ERR_CLIENT_USAGE, "--%s must be one of %s.", row->name,
				row->metavar);
		if (known != NULL && memcmp(typed, known, len) != 0)
			memcpy(typed, known, len);
		typed += len + (typed[len] != '\0');
	} while (*typed != '\0');
	return true;
}

static bool
add_argument(struct parser *parser, char *word, struct err *err)
{
	struct cmdline *options = parser->options;
	if (parser->list >= 0)
		return take_choices(&parser->table->options[parser->list], word, err) &&
		       add_value(parser, parser->list, word, err);
	if (options->argument_count == (size_t)parser->command->max && parser->bare >= 0)
		return err_set(err, ERR_CLIENT_USAGE, "--%s must be true or false.",
			parser->table->options[parser->bare].name);
	if (options->argument_count == (size_t)parser->command->max)
		return err_set(err, ERR_CLIENT_USAGE, "%s does not take the argument %s.",
			parser->command->words, word);
	options->arguments[options->argument_count++] = word;
	return true;
}

/* getopt would take any beginning of a name; what is typed today should not depend on tomorrow's options. */
static bool
check_whole(const struct parser *parser, const char *typed, int option, struct err *err)
{
	const char *name = parser->table->options[option].name;
	if (strncmp(typed, "--", 2) != 0)
		return true;
	size_t len = strcspn(typed + 2, "=");
	return (len == strlen(name) && memcmp(typed + 2, name, len) == 0) ||
	       err_set(err, ERR_CLIENT_USAGE, "There is no option %s; is --%s meant?", typed, name);
}

static bool
fail_unknown(const struct parser *parser, const char *typed, struct err *err)
{
	return err_set(err, ERR_CLIENT_USAGE, "%s has no option %.*s; see %s %s --help.",
		parser->command->words, (int)strcspn(typed, "="), typed, parser->table->program,
		parser->command->words);
}

static bool
take(struct parser *parser, int found, const char *typed, int argc, char **argv, struct err *err)
{
	if (found == 1)
		return add_argument(parser, optarg, err);
	if (found == '?')
		return fail_unknown(parser, typed, err);
	if (found == ':')
		return err_set(err, ERR_CLIENT_USAGE, "%s needs a value.", typed);
	int option = find_option(parser, found);
	const struct option_row *row = &parser->table->options[option];
	if (!check_whole(parser, typed, option, err))
		return false;
	parser->list = row->kind == OPTION_KIND_LIST ? option : -1;
	if (row->kind == OPTION_KIND_BOOL)
		return add_bool(parser, option, argc, argv, err);
	if (row->kind == OPTION_KIND_FLAG)
		return add_value(parser, option, "true", err);
	return take_choices(row, optarg, err) && add_value(parser, option, optarg, err);
}

bool
cmdline_parse(const struct command_table *table, const struct command *command, int argc,
	char **argv, struct cmdline *ret_options, struct err *err)
{
	struct cmdline options = {.table = table};
	struct parser parser = {
		.table = table, .command = command, .options = &options, .list = -1, .bare = -1};
	make_tables(&parser);
	opterr = 0;
	optind = 0; /* glibc: begin anew, also with the first character of the letters */
	for (;;) {
		int before = optind == 0 ? 1 : optind;
		int found =
			getopt_long(argc, argv, parser.short_options, parser.long_options, NULL);
		if (found == -1)
			break;
		if (!take(&parser, found, argv[before], argc, argv, err))
			return false;
	}
	parser.list = -1;
	for (; optind < argc; optind++) {
		if (!add_argument(&parser, argv[optind], err))
			return false;
	}
	bool help = options.values[OPTION_HELP].count > 0;
	if (!help && options.argument_count < (size_t)command->min)
		return err_set(err, ERR_CLIENT_USAGE, "Something is missing: %s %s %s",
			table->program, command->words, command->synopsis);
	*ret_options = options;
	return true;
}

/* ---- access ---- */

bool
cmdline_given(const struct cmdline *options, int option)
{
	return options->values[option].count > 0;
}

const char *
cmdline_text(const struct cmdline *options, int option)
{
	return cmdline_given(options, option) ? options->values[option].words[0] : NULL;
}

bool
cmdline_flag(const struct cmdline *options, int option, bool absent)
{
	const char *word = cmdline_text(options, option);
	return word == NULL ? absent : strcmp(word, "true") == 0;
}

bool
cmdline_missing(const struct cmdline *options, int option, struct err *err)
{
	return err_set(
		err, ERR_CLIENT_USAGE, "--%s must be given.", options->table->options[option].name);
}

/* At most 18 digits, so that it cannot overflow. */
static bool
parse_digits(const char *text, size_t len, int64_t *ret_number)
{
	if (len == 0 || len > 18)
		return false;
	int64_t number = 0;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret_number = number;
	return true;
}

bool
cmdline_number(const struct cmdline *options, int option, int64_t low, int64_t high,
	int64_t *ret_number, struct err *err)
{
	const char *text = cmdline_text(options, option);
	if (text == NULL)
		return cmdline_missing(options, option, err);
	int64_t number;
	if (!parse_digits(text, strlen(text), &number) || number < low || number > high)
		return err_set(err, ERR_CLIENT_USAGE, "--%s must be a number from %lld to %lld.",
			options->table->options[option].name, (long long)low, (long long)high);
	*ret_number = number;
	return true;
}

/* `pattern`: digits where it has a 0, the same character elsewhere. */
static bool
looks_like(const char *text, const char *pattern)
{
	if (strlen(text) != strlen(pattern))
		return false;
	for (size_t i = 0; pattern[i] != '\0'; i++) {
		bool digit = isdigit((unsigned char)text[i]) != 0;
		if (pattern[i] == '0' ? !digit : text[i] != pattern[i])
			return false;
	}
	return true;
}

static int
number_at(const char *text, size_t at, size_t len)
{
	int64_t number = 0;
	return parse_digits(text + at, len, &number) ? (int)number : -1;
}

bool
cmdline_time(const struct cmdline *options, int option, int64_t *ret_time, struct err *err)
{
	const char *text = cmdline_text(options, option);
	if (text == NULL)
		return cmdline_missing(options, option, err);
	bool date = looks_like(text, "0000-00-00");
	if (date || looks_like(text, "0000-00-00T00:00:00Z")) {
		struct tm tm = {
			.tm_year = number_at(text, 0, 4) - 1900,
			.tm_mon = number_at(text, 5, 2) - 1,
			.tm_mday = number_at(text, 8, 2),
			.tm_hour = date ? 0 : number_at(text, 11, 2),
			.tm_min = date ? 0 : number_at(text, 14, 2),
			.tm_sec = date ? 0 : number_at(text, 17, 2),
		};
		struct tm same = tm;
		time_t seconds = timegm(&same); /* brings 31 February to March: not the same then */
		if (same.tm_mon == tm.tm_mon && same.tm_mday == tm.tm_mday &&
			same.tm_hour == tm.tm_hour && same.tm_min == tm.tm_min &&
			same.tm_sec == tm.tm_sec && seconds >= 0) {
			*ret_time = seconds;
			return true;
		}
	}
	return err_set(err, ERR_CLIENT_USAGE,
		"--%s must be a time in UTC like 2027-01-31T12:00:00Z, or a date like 2027-01-31.",
		options->table->options[option].name);
}
