/* The same poll by net-snmp's library: asynchronous sessions, 64 devices at once, GETBULK of 13 columns by 4 rows with
 * sysUpTime in front. Prints how many values came and the CPU seconds used.
 * cc -O2 -o net_snmp_poller net_snmp_poller.c -lnetsnmp; ./net_snmp_poller PORT DEVICES PORTS */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define AT_ONCE 64
#define COLUMNS 13
#define ROWS 4

static const struct { int table, column; } wanted[COLUMNS] = {
    {2, 8}, {2, 13}, {2, 14}, {2, 19}, {2, 20},
    {31, 6}, {31, 7}, {31, 8}, {31, 9}, {31, 10}, {31, 11}, {31, 12}, {31, 13},
};

struct poll {
    netsnmp_session *session;
    int rows, busy, done;
};

static struct poll polls[AT_ONCE];
static int ports;
static long values;

static void ask(struct poll *poll)
{
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
    oid uptime[] = {1, 3, 6, 1, 2, 1, 1, 3};
    pdu->non_repeaters = 1;
    pdu->max_repetitions = ROWS;
    snmp_add_null_var(pdu, uptime, 8);
    for (int i = 0; i < COLUMNS; i++) {
        oid low[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, wanted[i].column, poll->rows};
        oid high[] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1, wanted[i].column, poll->rows};
        if (wanted[i].table == 2)
            snmp_add_null_var(pdu, low, poll->rows ? 11 : 10);
        else
            snmp_add_null_var(pdu, high, poll->rows ? 12 : 11);
    }
    if (!snmp_send(poll->session, pdu)) {
        snmp_free_pdu(pdu);
        poll->done = 1;
    }
}

static int answered(int what, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic)
{
    struct poll *poll = magic;
    (void)session;
    (void)id;
    if (what != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE) {
        poll->done = 1;
        return 1;
    }
    int place = 0;
    for (netsnmp_variable_list *var = pdu->variables; var; var = var->next_variable) {
        if (place > 0) {
            int port = poll->rows + (place - 1) / COLUMNS + 1;
            int column = wanted[(place - 1) % COLUMNS].column;
            if (port <= ports && var->name[var->name_length - 1] == (oid)port && var->name[var->name_length - 2] == (oid)column)
                values++;
        }
        place++;
    }
    poll->rows += ROWS;
    if (poll->rows < ports)
        ask(poll);
    else
        poll->done = 1;
    return 1;
}

static void start(struct poll *poll, int device, const char *port)
{
    netsnmp_session session;
    char peer[64];
    snprintf(peer, sizeof peer, "udp:127.10.%d.%d:%s", device / 256, device % 256, port);
    snmp_sess_init(&session);
    session.version = SNMP_VERSION_2c;
    session.peername = peer;
    session.community = (u_char *)"public";
    session.community_len = 6;
    session.callback = answered;
    session.callback_magic = poll;
    poll->rows = 0;
    poll->done = 0;
    poll->busy = 1;
    poll->session = snmp_open(&session);
    if (poll->session)
        ask(poll);
    else
        poll->busy = 0;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int devices = atoi(argv[2]), next = 1, running = 1;
    struct rusage usage;
    ports = atoi(argv[3]);
    init_snmp("net_snmp_poller");
    while (running) {
        running = 0;
        for (int i = 0; i < AT_ONCE; i++) {
            if (polls[i].busy && polls[i].done) {
                snmp_close(polls[i].session);
                polls[i].busy = 0;
            }
            if (!polls[i].busy && next <= devices)
                start(&polls[i], next++, argv[1]);
            running |= polls[i].busy;
        }
        if (!running)
            break;
        netsnmp_large_fd_set fds;
        int count = 0, block = 1;
        struct timeval timeout;
        netsnmp_large_fd_set_init(&fds, FD_SETSIZE);
        snmp_select_info2(&count, &fds, &timeout, &block);
        count = netsnmp_large_fd_set_select(count, &fds, NULL, NULL, block ? NULL : &timeout);
        if (count > 0)
            snmp_read2(&fds);
        else
            snmp_timeout();
        netsnmp_large_fd_set_cleanup(&fds);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %.6f\n", values,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
