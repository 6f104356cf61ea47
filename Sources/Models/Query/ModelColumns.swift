/// The columns of a model, as the closures of `where` and `order` get them: `$0.code` is the column of `\.code`.
///
/// A property that does not exist does not compile. A computed one does, and is an error when the query runs.
@dynamicMemberLookup
public struct ModelColumns<M: Model> {
    private let schema: Result<ModelSchema<M>, ModelError>

    init() {
        schema = Result { () throws(ModelError) in try ModelSchema<M>.shared() }
    }

    /// The column of a stored property.
    public subscript<Value>(dynamicMember keyPath: KeyPath<M, Value>) -> Column<Value> {
        do throws(ModelError) {
            return Column(sql: try schema.get().field(keyPath).qualified, problem: nil)
        } catch {
            return Column(sql: "", problem: QueryProblem(error))
        }
    }
}
