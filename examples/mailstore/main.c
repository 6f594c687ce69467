/*
 * mailstore: a Maildir whose messages are encrypted, each with a data key of its mailbox. A workload of depd, with libcustody alone: what
 * it does is what any program does whose data a data encryption policy covers. README.md is its manual.
 *
 * Which keys and which policy open a message is no matter of this program: it works on when they are rolled, exchanged or partly lost,
 * and is refused when their owners have taken them away.
 */
#define _GNU_SOURCE /* strcasestr */

#include "mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX     16384 /* octets of a message where its subject is looked for */
#define NAME_MAX_LEN 255

static const char *const folders[] = {"new", "cur"};

static int
usage(void)
{
	(void)fprintf(stderr, "usage: mailstore import STORE MAILBOX MAILDIR\n"
			      "       mailstore deliver STORE MAILBOX <MESSAGE\n"
			      "       mailstore list STORE MAILBOX\n"
			      "       mailstore read STORE MAILBOX NAME...\n");
	return MAIL_USAGE;
}

/* ---- deliver ---- */

/* A name that no other delivery on this host has: time to the microsecond, process, host. */
static void
make_name(char name[static NAME_MAX_LEN + 1])
{
	char host[65] = "localhost";
	struct timespec now;
	(void)gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c != '\0'; c++)
		*c = *c == '/' || *c == ':' ? '_' : *c;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, NAME_MAX_LEN + 1, "%lld.M%06ldP%ld.%s", (long long)now.tv_sec,
		now.tv_nsec / 1000, (long)getpid(), host);
}

static int
deliver(const struct mailbox *box)
{
	char name[NAME_MAX_LEN + 1], path[MAIL_PATH];
	struct custody_error error;
	struct custody_data_keys *keys = NULL;
	const struct mail_ref ref = {"new", name};
	make_name(name);
	if (!custody_data_keys_generate(box->client, &box->scope, 1, &keys, &error))
		return mail_fail(&error);
	int exit_code = mail_make(box);
	if (exit_code == MAIL_DONE)
		exit_code = mail_seal(box, custody_data_keys_get(keys, 0), STDIN_FILENO, &ref);
	custody_data_keys_free(keys);
	mail_path(path, box->path, "new", NULL);
	if (exit_code == MAIL_DONE)
		exit_code = mail_sync(path);
	if (exit_code == MAIL_DONE)
		(void)printf("new/%s\n", name);
	return exit_code;
}

/* ---- list ---- */

/* For a terminal, whoever wrote it. */
static void
print_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		(void)putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
}

/* The first line of that header; "" if there is none. */
static const char *
find_subject(char *head)
{
	char *body = strstr(head, "\n\n");
	if (body != NULL)
		body[1] = '\0';
	char *subject =
		strncasecmp(head, "Subject:", 8) == 0 ? head : strcasestr(head, "\nSubject:");
	if (subject == NULL)
		return "";
	subject = strchr(subject, ':') + 1;
	subject += strspn(subject, " \t");
	subject[strcspn(subject, "\r\n")] = '\0';
	return subject;
}

static int
list_one(void *data, const struct mail_ref *ref, struct custody_opening *opening)
{
	(void)data;
	int fd = -1;
	int exit_code = mail_open_memory(ref, opening, &fd);
	if (exit_code != MAIL_DONE)
		return exit_code;
	char head[HEAD_MAX + 1];
	ssize_t len = read(fd, head, HEAD_MAX);
	head[len > 0 ? len : 0] = '\0';
	(void)close(fd);
	print_plain(ref->folder);
	(void)putchar('/');
	print_plain(ref->name);
	(void)putchar('\t');
	print_plain(find_subject(head));
	(void)putchar('\n');
	explicit_bzero(head, sizeof(head));
	return MAIL_DONE;
}

static int
list_folder(const struct mailbox *box, const char *folder)
{
	char path[MAIL_PATH];
	struct dirent **names;
	size_t count;
	mail_path(path, box->path, folder, NULL);
	int exit_code = mail_names(path, false, &names, &count);
	struct mail_ref *refs = calloc(count + 1, sizeof(*refs));
	if (refs == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		refs[i] = (struct mail_ref){folder, names[i]->d_name};
	if (exit_code == MAIL_DONE)
		exit_code = mail_open_each(box, refs, count, list_one, NULL);
	free(refs);
	mail_names_free(names, count);
	return exit_code;
}

static int
list(const struct mailbox *box)
{
	int exit_code = MAIL_DONE;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int got = list_folder(box, folders[i]);
		exit_code = exit_code == MAIL_DONE ? got : exit_code;
	}
	return exit_code;
}

/* ---- read ---- */

static int
read_one(void *data, const struct mail_ref *ref, struct custody_opening *opening)
{
	(void)data;
	struct custody_error error;
	return custody_open_fd(opening, STDOUT_FILENO, &error) ? MAIL_DONE
							       : mail_fail_message(ref, &error);
}

/* As "list" prints it: new/NAME or cur/NAME. */
static bool
parse_ref(const char *text, struct mail_ref *ret_ref)
{
	const char *name = strchr(text, '/');
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (name != NULL && strncmp(text, folders[i], (size_t)(name - text)) == 0 &&
			name - text == (ptrdiff_t)strlen(folders[i])) {
			*ret_ref = (struct mail_ref){folders[i], name + 1};
			return name[1] != '\0' && name[1] != '.' && strchr(name + 1, '/') == NULL &&
			       strlen(name + 1) <= NAME_MAX_LEN;
		}
	}
	return false;
}

static int
read_messages(const struct mailbox *box, char **names, size_t count)
{
	struct mail_ref *refs = calloc(count, sizeof(*refs));
	int exit_code = MAIL_DONE;
	if (refs == NULL)
		abort();
	for (size_t i = 0; i < count && exit_code == MAIL_DONE; i++) {
		if (!parse_ref(names[i], &refs[i]))
			exit_code = usage();
	}
	if (exit_code == MAIL_DONE)
		exit_code = mail_open_each(box, refs, count, read_one, NULL);
	free(refs);
	return exit_code;
}

/* ---- which mailbox ---- */

/* It becomes a directory, a part of a path and a word of JSON. */
static bool
is_plain(const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";
	size_t len = strlen(name);
	return name[0] != '.' && len > 0 && len < 200 && strspn(name, plain) == len;
}

static int
run(const struct mailbox *box, int argc, char **argv)
{
	if (strcmp(argv[1], "import") == 0 && argc == 5)
		return mail_import(box, argv[4]);
	if (strcmp(argv[1], "deliver") == 0 && argc == 4)
		return deliver(box);
	if (strcmp(argv[1], "list") == 0 && argc == 4)
		return list(box);
	if (strcmp(argv[1], "read") == 0 && argc >= 5)
		return read_messages(box, argv + 4, (size_t)argc - 4);
	return usage();
}

int
main(int argc, char **argv)
{
	struct custody_error error;
	struct custody_options options = CUSTODY_OPTIONS_INIT;
	struct mailbox box = {.client = NULL};
	const char *socket_path = getenv("DEPD_SOCKET");
	if (argc < 4 || !is_plain(argv[3]))
		return usage();
	int len = snprintf(box.path, sizeof(box.path), "%s/%s", argv[2], argv[3]);
	if (len < 0 || (size_t)len >= sizeof(box.path))
		return usage();
	box.scope = (struct custody_scope){"mailbox", argv[3]};
	options.socket_path = socket_path != NULL ? socket_path : CUSTODY_DEP_SOCKET_DEFAULT;
	if (!custody_client_new(&options, &box.client, &error))
		return mail_fail(&error);
	int exit_code = run(&box, argc, argv);
	custody_client_free(box.client);
	if (fflush(stdout) != 0 && exit_code == MAIL_DONE)
		exit_code = mail_fail_file("standard output");
	return exit_code;
}
