// A million rows of four columns by libpq's single-row mode, in binary, each copied into a struct: rows a second, and
// nanoseconds of processor time a row.
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct account {
    int32_t id, branch, balance;
    char *filler;
};

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static int32_t number(const PGresult *row, int column) {
    uint32_t value;
    memcpy(&value, PQgetvalue(row, 0, column), sizeof value);
    return (int32_t)ntohl(value);
}

int main(void) {
    PGconn *connection = PQconnectdb(getenv("DATABASE_URL"));
    if (PQstatus(connection) != CONNECTION_OK) {
        fputs(PQerrorMessage(connection), stderr);
        return 1;
    }
    double start = seconds(CLOCK_MONOTONIC), spent = seconds(CLOCK_PROCESS_CPUTIME_ID);
    PQsendQueryParams(
        connection, "SELECT aid, bid, abalance, filler FROM pgbench_accounts", 0, NULL, NULL, NULL, NULL, 1);
    PQsetSingleRowMode(connection);
    long count = 0, sum = 0;
    PGresult *row;
    while ((row = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
            int length = PQgetlength(row, 0, 3);
            struct account account = {number(row, 0), number(row, 1), number(row, 2), malloc(length + 1)};
            memcpy(account.filler, PQgetvalue(row, 0, 3), length);
            account.filler[length] = 0;
            sum += account.id + account.branch + account.balance + length;
            free(account.filler);
            count++;
        } else if (PQresultStatus(row) != PGRES_TUPLES_OK) {
            fputs(PQresultErrorMessage(row), stderr);
            return 1;
        }
        PQclear(row);
    }
    start = seconds(CLOCK_MONOTONIC) - start;
    spent = seconds(CLOCK_PROCESS_CPUTIME_ID) - spent;
    printf("stream %.0f\nstream-cpu %.1f\n", count / start, spent * 1e9 / count);
    PQfinish(connection);
    return sum == 0;
}
