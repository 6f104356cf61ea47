import ReactorCore

/// A Deferred is fired with one value, and its callback gets that one.
///
/// A function with a further parameter becomes a callback when the parameter has a default, or a closure
/// gives it. Firing with two values, an error at run time in Python, does not compile.
let shortPoem = Scenario(
    "short-poem", from: "Twisted Introduction, part 7",
    "a callback gets one value; other arguments are its own"
) { stage in
    func gotPoem(_ poem: String, _ comment: String = "default") {
        stage.print("\(poem): \(comment)")
    }

    let poem = Deferred<String>()
    poem.addCallback { gotPoem($0) }
    try poem.callback("This poem is so short.")
}
