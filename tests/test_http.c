/* Octets on the wire: what is taken, what is refused, and the exact answer to each (threats C13 to C19, C26). */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_fixture.h"

#define H "Host: a\r\n"

static int
setup(void **state)
{
	*state = http_fixture_new(NULL);
	return 0;
}

static int
teardown(void **state)
{
	http_fixture_free(*state);
	return 0;
}

struct refused {
	const char *name;
	const char *text;
	size_t len; /* 0: strlen */
	enum err_code code;
	const char *what; /* for ERR_BAD_PARAMETER; the others have their sentence */
};

/* Framing that could be read in two ways, and what else ends a connection. */
static const struct refused framing[] = {
	{"both lengths",
         "POST / HTTP/1.1\r\n" H
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",					0,  ERR_BAD_PARAMETER,   "both Content-Length and Transfer-Encoding"},
	{"both lengths, other order",
         "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n" H
		"\r\n0\r\n\r\n",											   0,  ERR_BAD_PARAMETER,   "both Content-Length and Transfer-Encoding"},
	{"two lengths",                   "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
         0,														    ERR_BAD_PARAMETER,   "two Content-Length headers"               },
	{"two equal lengths",
         "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\ncontent-length: 1\r\n\r\na",                                        0,
         ERR_BAD_PARAMETER,															 "two Content-Length headers"               },
	{"list of lengths",               "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\na",                         0,
         ERR_BAD_PARAMETER,															 "Content-Length is not a number"           },
	{"length with a plus",            "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nabcde",                       0,
         ERR_BAD_PARAMETER,															 "Content-Length is not a number"           },
	{"negative length",               "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n",                            0,
         ERR_BAD_PARAMETER,															 "Content-Length is not a number"           },
	{"hexadecimal length",            "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\na",                          0,
         ERR_BAD_PARAMETER,															 "Content-Length is not a number"           },
	{"empty length",                  "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n",                               0,  ERR_BAD_PARAMETER,
         "Content-Length is not a number"																		      },
	{"length with a blank",           "POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\n",                           0,
         ERR_BAD_PARAMETER,															 "Content-Length is not a number"           },
	{"overflowing length",
         "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\na",                                          0,
         ERR_TOO_LARGE,															     ""					 },
	{"1 GiB declared",                "POST / HTTP/1.1\r\n" H "Content-Length: 1073741824\r\n\r\n",                    0,
         ERR_TOO_LARGE,															     ""					 },
	{"one octet too large",           "POST / HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n",                         0,
         ERR_TOO_LARGE,															     ""					 },
	{"1 GiB behind Expect",
         "POST / HTTP/1.1\r\n" H
		"Expect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n",					      0,  ERR_TOO_LARGE,       ""					 },
	{"chunked",		       "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
         0,														    ERR_LENGTH_REQUIRED, ""                                         },
	{"chunk extension",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\n\r\n",
         0,														    ERR_LENGTH_REQUIRED, ""                                         },
	{"trailers",
         "POST / HTTP/1.1\r\n" H
		"Transfer-Encoding: chunked\r\nTrailer: Host\r\n\r\n0\r\nHost: b\r\n\r\n",				 0,  ERR_LENGTH_REQUIRED, ""                                         },
	{"chunked, spelled oddly",
         "POST / HTTP/1.1\r\n" H "Transfer-Encoding: x, \tchunKed \r\n\r\n0\r\n\r\n",                                      0,
         ERR_LENGTH_REQUIRED,														       ""					 },
	{"folded header",                 "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n",                                     0,  ERR_BAD_PARAMETER,
         "a header is folded"																				  },
	{"folded by a tab",               "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n",                                    0,  ERR_BAD_PARAMETER,
         "a header is folded"																				  },
	{"blank before the first header", "GET / HTTP/1.1\r\n " H "\r\n",                                                  0,  ERR_BAD_PARAMETER,
         "a header is folded"																				  },
	{"bare LF",		       "GET / HTTP/1.1\nHost: a\n\n",						   0,  ERR_BAD_PARAMETER,
         "a line does not end in CR LF"																			},
	{"bare LF in headers",            "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",                                       0,  ERR_BAD_PARAMETER,
         "a line does not end in CR LF"																			},
	{"bare LF ends",                  "GET / HTTP/1.1\r\n" H "\n",                                                     0,  ERR_BAD_PARAMETER,
         "a line does not end in CR LF"																			},
	{"bare CR",		       "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n",                                        0,  ERR_BAD_PARAMETER,
         "a header holds a control character"																		  },
	{"blank before the colon",        "POST / HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc",                         0,
         ERR_BAD_PARAMETER,															 "a header has no valid name"               },
	{"tab before the colon",          "POST / HTTP/1.1\r\n" H "Transfer-Encoding\t: chunked\r\n\r\n",                  0,
         ERR_BAD_PARAMETER,															 "a header has no valid name"               },
	{"no colon",		      "GET / HTTP/1.1\r\n" H "X\r\n\r\n",                                              0,  ERR_BAD_PARAMETER,
         "a header has no valid name"																			  },
	{"empty name",                    "GET / HTTP/1.1\r\n" H ": x\r\n\r\n",                                            0,  ERR_BAD_PARAMETER,
         "a header has no valid name"																			  },
	{"NUL in a header",               "GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n",                                        35, ERR_BAD_PARAMETER,
         "it holds a NUL"																				      },
	{"NUL in the method",             "G\0T / HTTP/1.1\r\n" H "\r\n",                                                  27, ERR_BAD_PARAMETER,
         "it holds a NUL"																				      },
	{"escape in a header",            "GET / HTTP/1.1\r\n" H "X: \x1b[31m\r\n\r\n",                                    0,  ERR_BAD_PARAMETER,
         "a header holds a control character"																		  },
	{"no Host",		       "GET / HTTP/1.1\r\n\r\n",							0,  ERR_BAD_PARAMETER,   "it has no Host"                           },
	{"no Host in 1.0",                "GET / HTTP/1.0\r\n\r\n",							0,  ERR_BAD_PARAMETER,   "it has no Host"                           },
	{"two Hosts",                     "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",                                  0,  ERR_BAD_PARAMETER,
         "two Host headers"																				    },
	{"Host with userinfo",            "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",                                           0,  ERR_BAD_PARAMETER,
         "Host is not a name"																				  },
	{"Host with a path",              "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",                                           0,  ERR_BAD_PARAMETER,
         "Host is not a name"																				  },
	{"Host with a list",              "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",                                          0,  ERR_BAD_PARAMETER,
         "Host is not a name"																				  },
	{"Host with a bad port",          "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n",                                          0,  ERR_BAD_PARAMETER,
         "Host is not a name"																				  },
	{"Host with an escape",           "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n",                                         0,  ERR_BAD_PARAMETER,
         "Host is not a name"																				  },
	{"Host with half an address",     "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",                                          0,  ERR_BAD_PARAMETER,
         "Host is not a name"																				  },
	{"two applications",
         "GET / HTTP/1.1\r\n" H
		"x-custody-application: a\r\nX-Custody-Application: b\r\n\r\n",					    0,  ERR_BAD_PARAMETER,   "two x-custody-application headers"        },
	{"two authorizations",
         "GET / HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: b\r\n\r\n",                                            0,
         ERR_BAD_PARAMETER,															 "two Authorization headers"                },
	{"absolute form",                 "GET http://b/echo HTTP/1.1\r\n" H "\r\n",                                       0,  ERR_BAD_PARAMETER,
         "the target does not begin with a slash"																	      },
	{"authority form",                "CONNECT a:80 HTTP/1.1\r\n" H "\r\n",                                            0,  ERR_BAD_PARAMETER,
         "the target does not begin with a slash"																	      },
	{"asterisk form",                 "OPTIONS * HTTP/1.1\r\n" H "\r\n",                                               0,  ERR_BAD_PARAMETER,
         "the target does not begin with a slash"																	      },
	{"two blanks",                    "GET  / HTTP/1.1\r\n" H "\r\n",                                                  0,  ERR_BAD_PARAMETER,
         "the target does not begin with a slash"																	      },
	{"no version",                    "GET /\r\n" H "\r\n",							    0,  ERR_BAD_PARAMETER,
         "the target holds a character that must be escaped"																   },
	{"blank behind the version",      "GET / HTTP/1.1 \r\n" H "\r\n",                                                  0,  ERR_BAD_PARAMETER,
         "the version is not HTTP/1.1"																			 },
	{"HTTP/2 preface",                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",                                              0,  ERR_BAD_PARAMETER,
         "the target does not begin with a slash"																	      },
	{"version 2.0",                   "GET / HTTP/2.0\r\n" H "\r\n",                                                   0,  ERR_BAD_PARAMETER,
         "the version is not HTTP/1.1"																			 },
	{"version 1.10",                  "GET / HTTP/1.10\r\n" H "\r\n",                                                  0,  ERR_BAD_PARAMETER,
         "the version is not HTTP/1.1"																			 },
	{"lower-case version",            "GET / http/1.1\r\n" H "\r\n",                                                   0,  ERR_BAD_PARAMETER,
         "the version is not HTTP/1.1"																			 },
	{"blank before the method",       " GET / HTTP/1.1\r\n" H "\r\n",                                                  0,  ERR_BAD_PARAMETER,
         "the method is not a word"																			    },
	{"method too long",               "AAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n",                                     0,  ERR_BAD_PARAMETER,
         "the method is not a word"																			    },
	{"eight-bit target",              "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n",                                           0,  ERR_BAD_PARAMETER,
         "the target holds a character that must be escaped"																   },
	{"two empty lines first",         "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n",                                           0,  ERR_BAD_PARAMETER,
         "empty lines come before it"																			  },
	{"other expectation",             "POST / HTTP/1.1\r\n" H "Expect: gold\r\nContent-Length: 1\r\n\r\na",
         0,														    ERR_BAD_PARAMETER,   "Expect is not 100-continue"               },
	{"TLS",			   "\x16\x03\x01\x02\0\x01\0\x01\xfc",                                              9,  ERR_BAD_PARAMETER,   "it holds a NUL"                           },
};

/* The exact answer: status line, headers, body. */
static const char *
expected_of(const struct refused *row)
{
	char message[256];
	char body[512];

	if (row->code == ERR_BAD_PARAMETER)
		(void)snprintf(
			message, sizeof(message), "The request is malformed: %s.", row->what);
	else
		(void)snprintf(message, sizeof(message), "%s", err_sentence(row->code));
	(void)snprintf(body, sizeof(body),
		"{\"error\":{\"code\":\"BadParameter\",\"message\":\"%s\"}}", message);
	return http_fixture_expect(row->code == ERR_TOO_LARGE         ? "413 Content Too Large"
				   : row->code == ERR_LENGTH_REQUIRED ? "411 Length Required"
								      : "400 Bad Request",
		body, true);
}

static void
check_refused(struct http_fixture *fixture, const struct refused *row)
{
	static const char smuggled[] = "GET /echo/smuggled HTTP/1.1\r\nHost: evil\r\n\r\n";
	char text[4096];
	size_t len = row->len > 0 ? row->len : strlen(row->text);

	memcpy(text, row->text, len);
	memcpy(text + len, smuggled, sizeof(smuggled) - 1);

	const char *answer = http_fixture_ask(fixture, text, len + sizeof(smuggled) - 1);

	const char *expected = expected_of(row);
	if (strcmp(answer, expected) != 0 || !fixture->ended)
		fail_msg("%s: got (%s) %s", row->name, fixture->ended ? "closed" : "open", answer);
}

static void
http_ambiguous_framing_gets_one_answer_c13(void **state)
{
	struct http_fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_LEN(framing); i++)
		check_refused(fixture, &framing[i]);
	assert_int_equal(http_server_stats(fixture->server).requests, 0);
	assert_int_equal(http_server_stats(fixture->server).rejected, ARRAY_LEN(framing));
	assert_int_equal(http_server_stats(fixture->server).connections, 0);
}

/* Each answer also when the message comes one octet at a time. */
static void
http_ambiguous_framing_in_pieces_gets_the_same_c13(void **state)
{
	struct http_fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_LEN(framing); i++) {
		const struct refused *row = &framing[i];
		size_t len = row->len > 0 ? row->len : strlen(row->text);
		int client = http_fixture_connect(fixture);
		for (size_t k = 0; k < len; k++) {
			(void)send(client, row->text + k, 1, MSG_NOSIGNAL);
			loop_turn(fixture->loop, 0);
		}
		const char *answer = http_fixture_read(fixture, client);
		if (strcmp(answer, expected_of(row)) != 0)
			fail_msg("%s: %s", row->name, answer);
		close(client);
	}
}

struct taken {
	const char *name;
	const char *text;
	const char *saw; /* by the handler */
};

static const struct taken taken[] = {
	{"plain",			   "GET /echo HTTP/1.1\r\n" H "\r\n",                                    "GET [echo] a|a "     },
	{"root",			    "GET / HTTP/1.1\r\n" H "\r\n",                                        "GET [] a|a "         },
	{"leading empty line",              "\r\nGET /echo HTTP/1.1\r\n" H "\r\n",                                "GET [echo] a|a "     },
	{"empty segments stay",
         "POST /keys/k//wrapkey HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}",
         "POST [keys][k][][wrapkey] a|a {}"											     },
	{"trailing slash stays",            "GET /keys/k/ HTTP/1.1\r\n" H "\r\n",                                 "GET [keys][k][] a|a "},
	{"parameter names decoded",         "GET /k?api%2Dversion=7.4 HTTP/1.1\r\n" H "\r\n",
         "GET [k] api-version=7.4 a|a "												 },
	{"dollar either way",               "GET /k?$skiptoken=a&%24skiptoken=b HTTP/1.1\r\n" H "\r\n",
         "GET [k] $skiptoken=a $skiptoken=b a|a "										       },
	{"parameter without value",         "GET /k?x&&y= HTTP/1.1\r\n" H "\r\n",                                 "GET [k] x= y= a|a "  },
	{"separators decoded late",         "GET /k?a%26b=c%3Dd HTTP/1.1\r\n" H "\r\n",
         "GET [k] a&b=c=d a|a "													 },
	{"plus stays",                      "GET /k?a=b+c%20d HTTP/1.1\r\n" H "\r\n",                             "GET [k] a=b+c d a|a "},
	{"escapes in a segment",            "GET /%6Beys/%4B HTTP/1.1\r\n" H "\r\n",                              "GET [keys][K] a|a "  },
	{"double encoding is decoded once", "GET /k/%2561 HTTP/1.1\r\n" H "\r\n",
         "GET [k][%61] a|a "													    },
	{"case of a segment stays",         "GET /KEYS/Foo HTTP/1.1\r\n" H "\r\n",                                "GET [KEYS][Foo] a|a "},
	{"vault from Host",                 "GET /k HTTP/1.1\r\nHost: ContosoWestUS.vault.azure.net:443\r\n\r\n",
         "GET [k] contosowestus.vault.azure.net|contosowestus "									 },
	{"trailing dot",                    "GET /k HTTP/1.1\r\nhOST:  Contoso.\t\r\n\r\n",
         "GET [k] contoso|contoso "												     },
	{"empty Host",                      "GET /k HTTP/1.1\r\nHost:\r\n\r\n",                                   "GET [k] | "          },
	{"IPv4 Host",		       "GET /k HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n",                      "GET [k] 127.0.0.1| " },
	{"IPv6 Host",		       "GET /k HTTP/1.1\r\nHost: [::FFFF:1]:80\r\n\r\n",                     "GET [k] [::ffff:1]| "},
	{"dot first in Host",               "GET /k HTTP/1.1\r\nHost: .a\r\n\r\n",                                "GET [k] .a| "        },
	{"body of a GET",                   "GET /k HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nxy",                "GET [k] a|a xy"      },
	{"leading zeros in the length",
         "POST /k HTTP/1.1\r\n" H "Content-Length: 0000002\r\n\r\nxy",                                            "POST [k] a|a xy"     },
	{"body with NUL and LF",            "POST /k HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n\n\n\n",
         "POST [k] a|a \n\n\n"													  },
	{"other method",                    "BREW /k HTTP/1.1\r\n" H "\r\n",                                      "OTHER [k] a|a "      },
	{"lower-case method",               "get /k HTTP/1.1\r\n" H "\r\n",                                       "OTHER [k] a|a "      },
	{"header without blank",            "GET /k HTTP/1.1\r\nHost:a\r\nX:\r\nY:  \r\n\r\n",                    "GET [k] a|a "        },
	{"eight-bit header value",          "GET /k HTTP/1.1\r\n" H "User-Agent: \xc3\xa9\r\n\r\n",
         "GET [k] a|a "														 },
	{"later",			   "GET /later HTTP/1.1\r\n" H "\r\n",                                   "GET [later] a|a "    },
};

static void
http_unambiguous_requests_reach_the_handler_c17(void **state)
{
	struct http_fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		const char *answer =
			http_fixture_ask(fixture, taken[i].text, strlen(taken[i].text));
		const char *expected = http_fixture_expect("200 OK", taken[i].saw, false);
		if (strcmp(answer, expected) != 0 || fixture->ended)
			fail_msg("%s: %s", taken[i].name, answer);
	}
}

enum target_outcome {
	NAME,
	PARAM,
	TARGET,
	TOO_DEEP,
	TOO_MANY,
};

static const struct {
	const char *status_line;
	const char *code;
	const char *message;
} target_outcomes[] = {
	{"400 Bad Request", "BadParameter", "The request URI contains an invalid name." },
	{"400 Bad Request", "BadParameter", "A query parameter is malformed."           },
	{"400 Bad Request", "BadParameter", "The request URI is malformed."             },
	{"404 Not Found",   "NotFound",     "There is nothing at this path."            },
	{"400 Bad Request", "BadParameter", "The request has too many query parameters."},
};
static const struct {
	const char *target;
	enum target_outcome outcome;
} bad_targets[] = {
	{"/keys/..",			     NAME    },
	{"/keys/../k",			   NAME    },
	{"/keys/%2e%2E/k",                       NAME    },
	{"/keys/.",			      NAME    },
	{"/keys/a%2Fb",			  NAME    },
	{"/keys/a%2fb",			  NAME    },
	{"/keys/%00",			    NAME    },
	{"/keys/a%00b",			  NAME    },
	{"/keys/%20",			    NAME    },
	{"/keys/%0d%0aX",                        NAME    },
	{"/keys/%7f",			    NAME    },
	{"/keys/%C3%A9",			 NAME    },
	{"/keys/%",			      NAME    },
	{"/keys/%4",			     NAME    },
	{"/keys/%zz",			    NAME    },
	{"/keys/%4g",			    NAME    },
	{"/k?a=%00",			     PARAM   },
	{"/k?a=%0a",			     PARAM   },
	{"/k?a%1b=1",			    PARAM   },
	{"/k?a=%",			       PARAM   },
	{"/k?a=%4",			      PARAM   },
	{"/k#f",				 TARGET  },
	{"/1/2/3/4/5/6/7/8/9/10/11/12/13",       TOO_DEEP},
	{"/k?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", TOO_MANY},
};

/* The framing was clear, so the connection goes on. */
static void
http_bad_targets_are_refused_and_the_connection_stays_c17(void **state)
{
	struct http_fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_LEN(bad_targets); i++) {
		char text[256];
		char body[256];
		char expected[2048];
		(void)snprintf(text, sizeof(text),
			"GET %s HTTP/1.1\r\n" H "\r\nGET /k HTTP/1.1\r\n" H "\r\n",
			bad_targets[i].target);
		(void)snprintf(body, sizeof(body),
			"{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
			target_outcomes[bad_targets[i].outcome].code,
			target_outcomes[bad_targets[i].outcome].message);
		int len = snprintf(expected, sizeof(expected), "%s",
			http_fixture_expect(
				target_outcomes[bad_targets[i].outcome].status_line, body, false));
		(void)snprintf(expected + len, sizeof(expected) - (size_t)len, "%s",
			http_fixture_expect("200 OK", "GET [k] a|a ", false));
		const char *answer = http_fixture_ask(fixture, text, strlen(text));
		if (strcmp(answer, expected) != 0)
			fail_msg("%s: %s", bad_targets[i].target, answer);
	}
}

static void
http_encoded_body_is_refused_c16(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] =
		"POST /k HTTP/1.1\r\n" H "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}";

	const char *answer = http_fixture_ask(fixture, text, sizeof(text) - 1);

	assert_string_equal(
		answer, http_fixture_expect("415 Unsupported Media Type",
				"{\"error\":{\"code\":\"BadParameter\",\"message\":\"Content-"
				"Encoding is not served; send the body as it is.\"}}",
				false));
}

static void
http_version_1_0_and_close_are_closed_after_the_answer(void **state)
{
	struct http_fixture *fixture = *state;
	static const char *const rows[] = {
		"GET /k HTTP/1.0\r\n" H "\r\n",
		"GET /k HTTP/1.1\r\n" H "Connection: close\r\n\r\n",
		"GET /k HTTP/1.1\r\n" H "Connection: keep-alive, Close\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *answer = http_fixture_ask(fixture, rows[i], strlen(rows[i]));
		assert_string_equal(answer, http_fixture_expect("200 OK", "GET [k] a|a ", true));
		assert_true(fixture->ended);
	}
}

static void
http_expect_continue_is_answered_before_the_body_c16(void **state)
{
	struct http_fixture *fixture = *state;
	static const char head[] =
		"POST /k HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
	int client = http_fixture_connect(fixture);

	http_fixture_send(fixture, client, head, sizeof(head) - 1);
	assert_string_equal(http_fixture_read(fixture, client), "HTTP/1.1 100 Continue\r\n\r\n");
	http_fixture_send(fixture, client, "{", 1);
	assert_string_equal(http_fixture_read(fixture, client), "");
	http_fixture_send(fixture, client, "}", 1);
	assert_string_equal(http_fixture_read(fixture, client),
		http_fixture_expect("200 OK", "POST [k] a|a {}", false));

	close(client);
}

static void
http_head_is_answered_without_body(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "HEAD /k HTTP/1.1\r\n" H "\r\nGET /k HTTP/1.1\r\n" H "\r\n";

	const char *answer = http_fixture_ask(fixture, text, sizeof(text) - 1);

	assert_non_null(strstr(answer, "Content-Length: 13\r\n"));
	assert_non_null(strstr(answer, "no-cache\r\n\r\nHTTP/1.1 200 OK"));
}

static void
http_no_content_has_no_body_and_no_type(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "DELETE /purge HTTP/1.1\r\n" H "\r\n";

	assert_string_equal(http_fixture_ask(fixture, text, sizeof(text) - 1),
		"HTTP/1.1 204 No Content\r\nx-ms-request-id: ID\r\nCache-Control: "
		"no-cache\r\n\r\n");
}

static void
http_error_has_code_inner_code_details_and_headers_c26(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "GET /fail HTTP/1.1\r\n" H "\r\n";

	const char *answer = http_fixture_ask(fixture, text, sizeof(text) - 1);

	assert_non_null(strstr(answer, "HTTP/1.1 403 Forbidden\r\n"));
	assert_non_null(strstr(answer, "\r\nRetry-After: 7\r\n\r\n"));
	assert_non_null(strstr(answer,
		"{\"error\":{\"code\":\"Forbidden\",\"message\":\"A \\\"quoted\\\\ message.\","
		"\"innererror\":{\"code\":\"KeyDisabled\"},\"details\":[{\"k\":1}]}}"));
}

static void
http_client_request_id_is_echoed_if_sane(void **state)
{
	struct http_fixture *fixture = *state;
	static const struct {
		const char *id;
		bool echoed;
	} rows[] = {
		{"0d5d4a2e-0a35-4b0c-9a4c-0a1b2c3d4e5f",                              true },
		{"A.b_c-1",							   true },
		{"",								  false},
		{"a b",							       false},
		{"a;b",							       false},
		{"\xc3\xa9",							  false},
		{"0123456789012345678901234567890123456789012345678901234567890123",  true },
		{"01234567890123456789012345678901234567890123456789012345678901234", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];
		char header[128];
		(void)snprintf(text, sizeof(text),
			"GET /k HTTP/1.1\r\n" H "x-ms-client-request-id: %s\r\n\r\n", rows[i].id);
		(void)snprintf(
			header, sizeof(header), "\r\nx-ms-client-request-id: %s\r\n", rows[i].id);

		const char *answer = http_fixture_ask(fixture, text, strlen(text));

		assert_int_equal(
			strstr(answer, rows[i].echoed ? header : "client-request-id") != NULL,
			rows[i].echoed);
	}
}

static void
http_content_type_must_be_json_or_absent(void **state)
{
	struct http_fixture *fixture = *state;
	static const struct {
		const char *header;
		bool fine;
	} rows[] = {
		{"",						  true },
		{"Content-Type: application/json\r\n",                true },
		{"Content-Type: Application/JSON; charset=utf-8\r\n", true },
		{"Content-Type: application/json ;charset=utf-8\r\n", true },
		{"Content-Type: application/jsonx\r\n",               false},
		{"Content-Type: text/plain\r\n",                      false},
		{"Content-Type:\r\n",                                 false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];
		struct err err = {.code = ERR_NONE};
		(void)snprintf(
			text, sizeof(text), "POST /hold HTTP/1.1\r\n" H "%s\r\n", rows[i].header);
		(void)http_fixture_ask(fixture, text, strlen(text));
		struct http_request *request = fixture->held[--fixture->held_count];

		assert_int_equal(http_request_check_json(request, &err), rows[i].fine);

		assert_int_equal(err.code, rows[i].fine ? ERR_NONE : ERR_UNSUPPORTED_MEDIA_TYPE);
		http_answer(request, 200, NULL, 0, NULL);
	}
}

static void
http_request_tells_headers_params_and_peer(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] =
		"GET /hold?a=1&a=1&b=1&b=2 HTTP/1.1\r\n" H "X-One: 1\r\nx-one: 2\r\n\r\n";
	bool equal = false;
	const char *name = NULL;
	const char *value = NULL;
	int client = http_fixture_connect(fixture);
	http_fixture_send(fixture, client, text, sizeof(text) - 1);
	(void)http_fixture_read(fixture, client);
	struct http_request *request = fixture->held[0];

	assert_string_equal(http_request_header(request, "x-ONE"), "1");
	assert_null(http_request_header(request, "x-on"));
	assert_int_equal(http_request_param_count(request, "a", &equal), 2);
	assert_true(equal);
	assert_int_equal(http_request_param_count(request, "b", &equal), 2);
	assert_false(equal);
	assert_int_equal(http_request_param_count(request, "c", &equal), 0);
	assert_string_equal(http_request_param(request, "b"), "1");
	assert_null(http_request_param(request, "c"));
	assert_true(http_request_param_at(request, 3, &name, &value));
	assert_false(http_request_param_at(request, 4, &name, &value));
	assert_int_equal(strlen(http_request_id(request)), 36);
	assert_int_equal(http_request_peer(request)->uid, geteuid());
	assert_int_equal(http_request_peer(request)->pid, getpid());
	assert_int_equal(http_server_in_flight_of(fixture->server, geteuid()), 1);
	assert_int_equal(http_server_stats(fixture->server).in_flight, 1);

	http_answer(request, 200, NULL, 0, NULL);
	assert_int_equal(http_server_in_flight_of(fixture->server, geteuid()), 0);
	close(client);
}

/* ---- order, disconnects ---- */

static void
http_pipelined_requests_are_answered_in_order_c14(void **state)
{
	struct http_fixture *fixture = *state;
	char text[16384] = "";
	size_t len = 0;
	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"POST /%s/%d HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}",
			i % 3 == 0 ? "later" : "echo", i);

	const char *answer = http_fixture_ask(fixture, text, len);

	for (int i = 0; i < 100; i++) {
		char body[64];
		(void)snprintf(body, sizeof(body), "POST [%s][%d] a|a {}",
			i % 3 == 0 ? "later" : "echo", i);
		const char *expected = http_fixture_expect("200 OK", body, false);
		if (strncmp(answer, expected, strlen(expected)) != 0)
			fail_msg("answer %d: %.300s", i, answer);
		answer += strlen(expected);
	}
	assert_string_equal(answer, "");
}

static void
http_nothing_is_read_after_an_error_c14(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "GET /echo HTTP/1.1\r\n" H
				   "\r\nGET /echo HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n" H "\r\n";

	const char *answer = http_fixture_ask(fixture, text, sizeof(text) - 1);

	const char *first = http_fixture_expect("200 OK", "GET [echo] a|a ", false);
	size_t len = strlen(first);
	assert_memory_equal(answer, first, len);
	assert_string_equal(
		answer + len, http_fixture_expect("400 Bad Request",
				      "{\"error\":{\"code\":\"BadParameter\",\"message\":\"The "
				      "request is malformed: it has no Host.\"}}",
				      true));
	assert_int_equal(http_server_stats(fixture->server).requests, 1);
}

static void
http_half_closed_client_gets_its_answer_c14(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "GET /later HTTP/1.1\r\n" H "\r\n";
	int client = http_fixture_connect(fixture);

	http_fixture_send(fixture, client, text, sizeof(text) - 1);
	shutdown(client, SHUT_WR);

	assert_string_equal(http_fixture_read(fixture, client),
		http_fixture_expect("200 OK", "GET [later] a|a ", false));
	assert_true(fixture->ended);
	close(client);
}

/* The end of the stream arrives while requests before it still wait for their turn. */
static void
http_half_closed_client_gets_all_its_answers_c14(void **state)
{
	struct http_fixture *fixture = *state;
	static const char ask[] = "GET /later HTTP/1.1\r\n" H "\r\n";
	const char *expected = http_fixture_expect("200 OK", "GET [later] a|a ", false);
	int client = http_fixture_connect(fixture);
	for (int i = 0; i < 200; i++)
		http_fixture_send(fixture, client, ask, sizeof(ask) - 1);
	shutdown(client, SHUT_WR);

	size_t len = 0;
	size_t count = 0;
	while (!fixture->ended) {
		const char *answers = http_fixture_read(fixture, client);
		for (len = 0; answers[len] != '\0'; len += strlen(expected), count++)
			assert_memory_equal(answers + len, expected, strlen(expected));
	}

	assert_int_equal(count, 200);
	close(client);
}

static void
http_disconnect_at_every_octet_is_harmless_c14(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "POST /later HTTP/1.1\r\n" H
				   "Content-Length: 4\r\n\r\nabcdGET /echo HTTP/1.1\r\n" H "\r\n";
	for (size_t len = 0; len < sizeof(text); len++) {
		int client = http_fixture_connect(fixture);
		(void)send(client, text, len, MSG_NOSIGNAL);
		close(client);
		for (int turn = 0; turn < 6; turn++)
			loop_turn(fixture->loop, 0);
		if (http_server_stats(fixture->server).connections != 0)
			fail_msg("still connected after %zu octets", len);
	}
	assert_int_equal(http_server_stats(fixture->server).in_flight, 0);
}

static void
http_client_that_left_while_pending_is_answered_harmlessly_c14(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "POST /hold HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nabcd";

	(void)http_fixture_ask(fixture, text, sizeof(text) - 1);
	http_fixture_turns(fixture, 0);
	assert_int_equal(fixture->held_count, 1);
	assert_memory_equal(http_request_body(fixture->held[0]).data, "abcd", 4);
	http_answer(fixture->held[0], 200, NULL, 0, NULL);
	http_fixture_turns(fixture, 0);

	assert_int_equal(http_server_stats(fixture->server).connections, 0);
}

static void
http_server_freed_before_the_answer_is_harmless(void **state)
{
	struct http_fixture *fixture = *state;
	static const char text[] = "POST /hold HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nabcd";
	int client = http_fixture_connect(fixture);
	http_fixture_send(fixture, client, text, sizeof(text) - 1);
	(void)http_fixture_read(fixture, client);

	http_server_free(fixture->server);
	fixture->server = NULL;

	assert_memory_equal(http_request_body(fixture->held[0]).data, "abcd", 4);
	assert_int_equal(http_request_peer(fixture->held[0])->uid, geteuid());
	http_answer(fixture->held[0], 200, NULL, 0, NULL);
	assert_int_equal(recv(client, fixture->answer, 1, 0), 0);
	close(client);
}

/* The name of the program is the peer's own to choose. */
static void
peer_start_is_of_its_process_whatever_its_name_c5(void **state)
{
	(void)state;
	int pair[2];
	struct peer peer;
	struct err err;
	unsigned long long start = 0;
	char name[16];
	FILE *stat = fopen("/proc/self/stat", "re");
	assert_non_null(stat);
	assert_int_equal(fscanf(stat,
				 "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
				 "%*d %*d %*d %*d %*d %*d %llu",
				 &start),
		1);
	(void)fclose(stat);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_int_equal(prctl(PR_SET_NAME, ") S 1 2) 3 ("), 0);

	bool known = peer_read(pair[0], &peer, &err);

	assert_int_equal(prctl(PR_SET_NAME, name), 0);
	assert_true(known);
	assert_int_equal(peer.pid, getpid());
	assert_true(peer.pid_start > 0);
	assert_int_equal(peer.pid_start, start);
	peer_clear(&peer);
	close(pair[0]);
	close(pair[1]);
}

static void
peer_is_what_the_kernel_says(void **state)
{
	(void)state;
	int pair[2];
	struct peer peer;
	struct err err;
	gid_t groups[1024];
	int count = getgroups(1024, groups);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);

	assert_true(peer_read(pair[0], &peer, &err));

	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.gid, getegid());
	assert_int_equal(peer.group_count, count);
	for (int i = 0; i < count; i++)
		assert_true(peer_in_group(&peer, groups[i]));
	assert_true(peer_in_group(&peer, getegid()));
	assert_false(peer_in_group(&peer, 65534));
	assert_false(peer_in_group(&peer, 4000000000U));
	peer_clear(&peer);
	assert_false(peer_read(STDERR_FILENO, &peer, &err));
	assert_int_equal(err.code, ERR_INTERNAL);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(http_ambiguous_framing_gets_one_answer_c13),
		TEST(http_ambiguous_framing_in_pieces_gets_the_same_c13),
		TEST(http_unambiguous_requests_reach_the_handler_c17),
		TEST(http_bad_targets_are_refused_and_the_connection_stays_c17),
		TEST(http_encoded_body_is_refused_c16),
		TEST(http_version_1_0_and_close_are_closed_after_the_answer),
		TEST(http_expect_continue_is_answered_before_the_body_c16),
		TEST(http_head_is_answered_without_body),
		TEST(http_no_content_has_no_body_and_no_type),
		TEST(http_error_has_code_inner_code_details_and_headers_c26),
		TEST(http_client_request_id_is_echoed_if_sane),
		TEST(http_content_type_must_be_json_or_absent),
		TEST(http_request_tells_headers_params_and_peer),
		TEST(http_pipelined_requests_are_answered_in_order_c14),
		TEST(http_nothing_is_read_after_an_error_c14),
		TEST(http_half_closed_client_gets_its_answer_c14),
		TEST(http_half_closed_client_gets_all_its_answers_c14),
		TEST(http_disconnect_at_every_octet_is_harmless_c14),
		TEST(http_client_that_left_while_pending_is_answered_harmlessly_c14),
		TEST(http_server_freed_before_the_answer_is_harmless),
		cmocka_unit_test(peer_is_what_the_kernel_says),
		cmocka_unit_test(peer_start_is_of_its_process_whatever_its_name_c5),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
