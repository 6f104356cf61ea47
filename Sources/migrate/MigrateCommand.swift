import ArgumentParser

/// The program; everything it does is in a subcommand.
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings a PostgreSQL database to the state that the files in Migrations/ describe.",
        discussion: """
            A migration is one file, YYYYMMDDHHMMSS_name.sql (UTC):

              -- migrate:up
              create table films (title text not null);

              -- migrate:down
              drop table films;

            Each file and its row in public.migrate_history are one transaction. A section that begins with \
            "-- migrate:up transaction:false" runs statement by statement, for CREATE INDEX CONCURRENTLY; when it \
            fails, the next "up" resumes at the statement that failed. Several "up" at once are safe: one works, \
            the others wait.

            Without --database-url and DATABASE_URL, the private development server in .postgres/ is used; it is \
            started if it is not running, and stopped afterwards.

            Exit status:
              0    done, or nothing to do
              1    something unexpected
              2    wrong usage
              3    cannot connect
              4    another runner held the lock for too long
              5    a migration failed and was rolled back
              6    a transaction:false migration failed and is partly applied
              7    a file is invalid, missing, or has changed since it was applied
              8    migrations are pending (status --exit-code)
              130  interrupted
            """,
        subcommands: [Up.self, Down.self, Status.self, New.self])
}
