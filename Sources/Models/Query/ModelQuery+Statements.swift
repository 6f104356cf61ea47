public import PostgresValues

extension ModelQuery {
    /// The `SELECT` that fetches the rows, to be looked at or put into another statement.
    ///
    /// - Throws: `ModelError` telling what is wrong with the model or the query.
    public func statement() throws(ModelError) -> SQL {
        try rows(of: SQL(raw: ModelSchema<M>.shared().selectHead))
    }

    /// `SELECT count(*)` of the rows that would be fetched.
    func countStatement() throws(ModelError) -> SQL {
        if rowLimit == nil && rowOffset == nil {
            return try matching(SQL(raw: "SELECT count(*) FROM \(ModelSchema<M>.shared().table)"))
        }
        return "SELECT count(*) FROM (\(try rows(of: try someRow(), sorted: false))) AS counted"
    }

    /// Whether any row would be fetched.
    func existsStatement() throws(ModelError) -> SQL {
        "SELECT EXISTS (\(try rows(of: try someRow(), sorted: false)))"
    }

    /// `DELETE` of the rows; of all of them only when that was said.
    func deleteStatement() throws(ModelError) -> SQL {
        guard rowLimit == nil && rowOffset == nil else {
            throw ModelError(
                .unsupported,
                "\(M.self): a delete takes no limit and no offset; fetch the ids and delete by them")
        }
        guard condition != nil else {
            throw ModelError(
                .unsupported,
                "\(M.self): a delete without a condition would empty the table; say deleteAll(db)")
        }
        return try matching(SQL(raw: "DELETE FROM \(ModelSchema<M>.shared().table)"))
    }

    private func someRow() throws(ModelError) -> SQL {
        SQL(raw: "SELECT 1 FROM \(try ModelSchema<M>.shared().table)")
    }

    private func matching(_ head: SQL) throws(ModelError) -> SQL {
        guard let condition else { return head }
        if let problem = condition.problem {
            throw problem.error
        }
        var sql = head
        sql.append(raw: " WHERE ")
        sql.append(condition.sql)
        return sql
    }

    private func rows(of head: SQL, sorted: Bool = true) throws(ModelError) -> SQL {
        var sql = try matching(head)
        for (place, term) in order.enumerated() where sorted {
            if let problem = term.problem {
                throw problem.error
            }
            sql.append(raw: place == 0 ? " ORDER BY \(term.sql)" : ", \(term.sql)")
        }
        if let rowLimit {
            sql.append(raw: " LIMIT ")
            sql.append(rowLimit)
        }
        if let rowOffset {
            sql.append(raw: " OFFSET ")
            sql.append(rowOffset)
        }
        return sql
    }
}
