/* Texts of every length, and bytes that are not valid UTF-8. Part of misuse.c. */

static void name_of_length(int length)
{
    char name[5001];
    struct tlsrpt_connection_t *other = con;
    int fits = length <= 107;

    memset(name, 'n', sizeof name);
    name[length] = '\0';
    CHECK_INT(fits ? 0 : 10711, tlsrpt_open(&other, name));
    CHECK((other != NULL) == fits);
    if (!other)
        return;
    /* No collector has such a name: an empty one is refused, the other is not found. */
    CHECK_INT(13000 + (length == 0 ? ECONNREFUSED : ENOENT), send_success(other));
    CHECK_INT(0, tlsrpt_close(&other));
}

enum { DOMAIN, TLSRPT_RECORD, POLICY_DOMAIN, POLICY_STRING, MX_HOST_PATTERN, FIRST_OF_FAILURE, FIELDS = 11 };

/* An event with this text in one field and "x" in the others. */
static int send_with(int field, const char *text)
{
    const char *texts[FIELDS];
    const char **failure = texts + FIRST_OF_FAILURE;
    struct tlsrpt_dr_t *request;
    int i;

    for (i = 0; i < FIELDS; i++)
        texts[i] = i == field ? text : "x";
    CHECK_INT(0, tlsrpt_init_delivery_request(&request, con, texts[DOMAIN], texts[TLSRPT_RECORD]));
    CHECK_INT(0, tlsrpt_init_policy(request, TLSRPT_POLICY_STS, texts[POLICY_DOMAIN]));
    CHECK_INT(0, tlsrpt_add_policy_string(request, texts[POLICY_STRING]));
    CHECK_INT(0, tlsrpt_add_mx_host_pattern(request, texts[MX_HOST_PATTERN]));
    CHECK_INT(0, tlsrpt_add_delivery_request_failure(request, TLSRPT_VALIDATION_FAILURE, failure[0], failure[1],
                                                     failure[2], failure[3], failure[4], failure[5]));
    CHECK_INT(0, tlsrpt_finish_policy(request, TLSRPT_FINAL_FAILURE));
    return tlsrpt_finish_delivery_request(&request);
}

/* Writes the expected datagram, with the text written as `written`. Returns its length. */
static int datagram_with(int field, const char *written, char *datagram, size_t size)
{
    const char *texts[FIELDS];
    const char **failure = texts + FIRST_OF_FAILURE;
    int i;

    for (i = 0; i < FIELDS; i++)
        texts[i] = i == field ? written : "x";
    return snprintf(datagram, size,
                    "{\"dpv\": \"1\",\"d\": \"%s\",\"pr\": \"%s\",\"policies\":[{\"policy-type\":2,"
                    "\"policy-domain\": \"%s\",\"policy-string\":[\"%s\"],\"mx-host\":[\"%s\"],\"failure-details\":[{"
                    "\"c\":205,\"s\": \"%s\",\"n\": \"%s\",\"h\": \"%s\",\"r\": \"%s\",\"a\": \"%s\",\"f\": \"%s\"}],"
                    "\"t\":1,\"f\":1}]}",
                    texts[DOMAIN], texts[TLSRPT_RECORD], texts[POLICY_DOMAIN], texts[POLICY_STRING],
                    texts[MX_HOST_PATTERN], failure[0], failure[1], failure[2], failure[3], failure[4], failure[5]);
}

/* A Latin-1 letter, parts of a character, an overlong form, half a surrogate pair, bytes that UTF-8 never has. */
static void not_utf8(int field)
{
#define REPLACED "\xef\xbf\xbd"
    char expected[1000];

    datagram_with(field,
                  "caf" REPLACED " " REPLACED "\xe2\x82\xac " REPLACED REPLACED " " REPLACED REPLACED REPLACED
                  " " REPLACED REPLACED "\\\" " REPLACED,
                  expected, sizeof expected);
    CHECK_INT(0, send_with(field, "caf\xe9 \xe2\x82\xe2\x82\xac \xc0\x80 \xed\xa0\x80 \xf5\xff\" \xf0\x9f\x98"));
    CHECK_TEXT(expected, collector_receive());
#undef REPLACED
}

/* A text of 1 MiB is encoded. Whether it can be sent depends on the largest send buffer of the system. */
static void one_mebibyte(int field)
{
    /* The overhead of a datagram in the send buffer. */
    enum { LENGTH = 1 << 20, OVERHEAD = 32 };
    static char text[LENGTH + 1], expected[LENGTH + 1000];
    int length;

    memset(text, 'x', LENGTH);
    length = datagram_with(field, text, expected, sizeof expected);
    if (length + OVERHEAD <= largest_send_buffer()) {
        CHECK_INT(0, send_with(field, text));
        CHECK_TEXT(expected, collector_receive());
    } else {
        CHECK_INT(13000 + EMSGSIZE, send_with(field, text));
        CHECK_TEXT(NULL, collector_receive());
    }
}
