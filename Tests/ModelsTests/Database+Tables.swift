import PostgresValues

extension Database {
    static let tables: [SQL] = [
        """
        CREATE TABLE clients (
            id bigserial PRIMARY KEY, code varchar(40) NOT NULL UNIQUE, packet text NOT NULL,
            note text DEFAULT 'a column that the model lacks')
        """,
        "CREATE TYPE rating AS ENUM ('g', 'pg')",
        """
        CREATE TABLE films (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text NOT NULL, length_minutes int2,
            rating rating NOT NULL, lang char(2), poster_url text, score float8 NOT NULL,
            is_public bool NOT NULL, digest bytea NOT NULL, tags text[] NOT NULL, released_at timestamptz)
        """,
        "CREATE TABLE pairs (\"left\" int NOT NULL, \"right\" int)",
    ]
}
