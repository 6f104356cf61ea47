import CBlockingShims
import CLibPQ
import CLinux
import Glibc
import LocalPostgres
import Testing

/// A pipeline of libpq's over a corked socket.
@Suite struct LibPQCorkTests {
    @Test func aCorkedPipelineIsSentByOneFlush() throws {
        let connection = try #require(PQconnectdb(try LocalCluster.shared().url))
        defer { PQfinish(connection) }
        try #require(PQstatus(connection) == CONNECTION_OK)
        try #require(PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection) == 1)

        clinux_cork(PQsocket(connection))
        for number in 1...20 {
            #expect(PQsendQueryParams(connection, "SELECT \(number)", 0, nil, nil, nil, nil, 0) == 1)
            #expect(clibpq_end_segment(connection) == 1)
        }
        clinux_uncork()
        #expect(!isReadable(connection, within: 100), "nothing was sent, so nothing is answered")

        #expect(PQflush(connection) == 0)
        for number in 1...20 {
            let rows = try result(connection)
            #expect(String(cString: PQgetvalue(rows, 0, 0)) == String(number))
            PQclear(rows)
            #expect(try result(connection, isRow: false) == nil)
            let sync = try result(connection)
            #expect(PQresultStatus(sync) == PGRES_PIPELINE_SYNC)
            PQclear(sync)
        }
    }

    private func isReadable(_ connection: OpaquePointer, within milliseconds: Int32) -> Bool {
        var one = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        return poll(&one, 1, milliseconds) == 1
    }

    private func result(_ connection: OpaquePointer, isRow: Bool = true) throws -> OpaquePointer? {
        while PQisBusy(connection) != 0 {
            try #require(isReadable(connection, within: 10_000))
            try #require(PQconsumeInput(connection) == 1)
        }
        let result = PQgetResult(connection)
        try #require(!isRow || result != nil)
        return result
    }
}
