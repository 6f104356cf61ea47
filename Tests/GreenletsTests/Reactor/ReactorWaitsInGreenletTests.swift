import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite(.everyBackend) struct ReactorWaitsInGreenletTests {
    @Test func descriptorsAreWaitedForInSynchronousGreenlets() async throws {
        try await withReactor { reactor in
            let (one, other) = try GreenSocket.pair()
            let greenlet = Greenlet.spawn { () throws -> ReadySet in
                try reactor.waitUntilWritable(one.descriptor)
                let ready = try reactor.waitUntilReadableOrWritable(one.descriptor)
                try reactor.waitUntilReadable(one.descriptor)
                return ready
            }
            while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            try await other.sendAll([1])
            #expect(try await greenlet.get().contains(.writable))
            let late = Greenlet.spawn { () throws in
                try reactor.waitUntilReadable(other.descriptor, timeout: .milliseconds(2))
            }
            let error = await #expect(throws: ReactorError.self) { try await late.get() }
            #expect(error?.isTimeout == true)
        }
    }

    @Test func cancelledWaitEndsInAGreenletOfEitherKind() async throws {
        try await withReactor { reactor in
            let (one, other) = try GreenSocket.pair()
            for isSynchronous in [true, false] {
                let fd = one.descriptor
                let greenlet =
                    isSynchronous
                    ? Greenlet.spawn { () throws in try reactor.waitUntilReadable(fd) }
                    : Greenlet.spawn { () async throws in try await reactor.waitUntilReadable(fd) }
                while reactor.watchedDescriptors.isEmpty { await reactor.yield() }
                #expect(reactor.cancelWait(on: fd) == 1)
                let error = await #expect(throws: ReactorError.self) { try await greenlet.get() }
                #expect(error?.code == .waitCancelled)
            }
            other.close()
        }
    }

    @Test func namesAreResolvedInSynchronousGreenlets() async throws {
        try await withReactor { reactor in
            reactor.installResolver(MemoryResolver(["db.example": ["192.0.2.1"]]))
            let found = try await Greenlet.spawn { try reactor.resolve(host: "db.example", port: 80) }.get()
            #expect(found.map(\.description) == ["192.0.2.1:80"])
        }
    }
}
