import PostgresValues
import Testing

@Suite struct PostgresTypeOIDTests {
    @Test(arguments: [
        (PostgresTypeOID.int8, "int8 (OID 20)"), (.int8Array, "int8[] (OID 1016)"),
        (.bpchar, "char(n) (OID 1042)"),
        (PostgresTypeOID(rawValue: 16402), "OID 16402"),
    ])
    func descriptionIsTheSQLNameAndTheNumber(oid: PostgresTypeOID, description: String) {
        #expect("\(oid)" == description)
    }

    @Test func onlyTypesThatAreReadInBinaryAreAskedForInBinary() {
        for oid in [
            PostgresTypeOID.bool, .bytea, .int2, .int4, .int8, .text, .varchar, .uuid, .timestamptz, .numeric,
            .numericArray,
        ] {
            #expect(oid.hasBinaryDecoder)
        }
        for oid in [PostgresTypeOID.money, .tsvector, .record, .void, PostgresTypeOID(rawValue: 16402)] {
            #expect(!oid.hasBinaryDecoder)
        }
    }
}
