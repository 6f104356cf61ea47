import COpenSSL
import Glibc

/// A key and a certificate signed with it, in files of their own that live as long as this object.
public final class TestCertificate: Sendable {
    /// The certificate in PEM.
    public let certificateFile: String
    /// Its key in PEM.
    public let keyFile: String
    private let directory: String

    /// - Parameter names: the certificate's subject alternative names, as OpenSSL writes them: `DNS:localhost,IP:127.0.0.1`.
    public init(names: String, validFor seconds: Int = 3600) {
        var template = Array("/tmp/tls-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary directory")
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        certificateFile = directory + "/certificate.pem"
        keyFile = directory + "/key.pem"

        let generator = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(generator)
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1)
        precondition(EVP_PKEY_keygen(generator, &key) == 1, "no key was made")
        EVP_PKEY_CTX_free(generator)

        let certificate = X509_new()
        X509_set_version(certificate, 2)  // counted from 0: version 3
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60)
        X509_gmtime_adj(X509_getm_notAfter(certificate), seconds)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "Test", -1, -1, 0)
        X509_set_issuer_name(certificate, name)
        let extensionOfNames = X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, names)
        precondition(X509_add_ext(certificate, extensionOfNames, -1) == 1, "the names \(names) are refused")
        X509_EXTENSION_free(extensionOfNames)
        precondition(X509_sign(certificate, key, EVP_sha256()) > 0, "the certificate was not signed")

        let certificateOut = BIO_new_file(certificateFile, "w")
        PEM_write_bio_X509(certificateOut, certificate)
        BIO_free(certificateOut)
        let keyOut = BIO_new_file(keyFile, "w")
        PEM_write_bio_PrivateKey(keyOut, key, nil, nil, 0, nil, nil)
        BIO_free(keyOut)
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    deinit {
        unlink(certificateFile)
        unlink(keyFile)
        rmdir(directory)
    }
}
