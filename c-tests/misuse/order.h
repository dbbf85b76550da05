/* Steps in the wrong order, repeated, or on a closed handle. Part of misuse.c. */

static const struct {
    int code;
    const char *steps;
} wrong_orders[] = {
    {10722, "string"},
    {10723, "mx"},
    {10724, "failure"},
    {10722, "end-policy"},
    {10722, "policy end-policy end-policy"},
    {10722, "policy end-policy string"},
    {10723, "policy end-policy mx"},
    {10724, "policy end-policy failure"},
    {10731, "policy policy"},
    {10712, "policy finish"},
    {10732, "finish"},
    {10791, "cancel cancel"},
    {10791, "cancel finish"},
    {10791, "cancel policy"},
    {10791, "cancel string"},
    {10791, "cancel mx"},
    {10791, "cancel failure"},
    {10791, "cancel end-policy"},
    {10791, WHOLE_REQUEST " finish"},
    {10791, WHOLE_REQUEST " cancel"},
    {10791, WHOLE_REQUEST " string"},
};

static void wrong_order(int row)
{
    check_subject = wrong_orders[row].steps;
    CHECK_INT(wrong_orders[row].code, take_steps(&dr, wrong_orders[row].steps));
}

static void close_twice(int unused)
{
    (void)unused;
    CHECK_INT(0, take_step(&dr, "cancel"));
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_INT(10713, tlsrpt_close(&con));
}

/* The request keeps the socket open, can still be sent, and then closes the socket. */
static void close_before_finish(int unused)
{
    int descriptor = tlsrpt_get_socket(con);

    (void)unused;
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK(con == NULL);
    CHECK_INT(0, take_steps(&dr, WHOLE_REQUEST));
    CHECK_TEXT(WHOLE_REQUEST_DATAGRAM, collector_receive());
    CHECK_INT(-1, fcntl(descriptor, F_GETFD));
}

static void close_before_cancel(int unused)
{
    int descriptor = tlsrpt_get_socket(con);

    (void)unused;
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_INT(0, take_steps(&dr, "policy string cancel"));
    CHECK_INT(-1, fcntl(descriptor, F_GETFD));
}

static void descriptor_closed_underneath(int unused)
{
    (void)unused;
    needed(close(tlsrpt_get_socket(con)), "close");
    CHECK_INT(13000 + EBADF, take_steps(&dr, WHOLE_REQUEST));
    CHECK_INT(12000 + EBADF, tlsrpt_close(&con));
}

/* Uninitialized variables: the functions that fill them must not read them. */
static void garbage_in_the_place(int unused)
{
    struct tlsrpt_connection_t *other_con = (struct tlsrpt_connection_t *)1;
    struct tlsrpt_dr_t *other_dr = (struct tlsrpt_dr_t *)1;

    (void)unused;
    CHECK_INT(0, tlsrpt_open(&other_con, collector.name));
    CHECK_INT(0, tlsrpt_init_delivery_request(&other_dr, other_con, "d", "p"));
    CHECK_INT(0, tlsrpt_cancel_delivery_request(&other_dr));
    CHECK_INT(0, tlsrpt_close(&other_con));
}
