// What kind of expression was read, as far as it matters to what may stand left of `=`. Knows nothing of tokens.

struct PythonShape {
  enum Form {
    case name, attribute, item, tuple, list, starred
    case literal, ellipsis, isTrue, isFalse, isNone, formatted, call, operation, awaited, yield
    case comparison, conditional, lambda, named, generator, comprehension, dict, set
  }

  var form: Form
  /// The first part of it that can be no target of an assignment; `nil` where all of it can.
  var obstacle: Obstacle?
  /// A part of it has a star.
  var hasStar = false

  struct Obstacle {
    let form: Form
    /// It is within a tuple or list that is assigned to.
    var isPart = false

    var name: String { form.name }

    var cannotBeAssigned: String {
      switch form {
      case .literal, .ellipsis, .formatted, .call, .operation, .awaited, .yield, .dict, .set:
        isPart ? "cannot assign to \(name)" : "cannot assign to \(name) here. Maybe you meant '==' instead of '='?"
      default: "cannot assign to \(name)"
      }
    }
  }

  /// What can be assigned to.
  static func target(_ form: Form) -> PythonShape { PythonShape(form: form, obstacle: nil) }

  /// What cannot.
  static func value(_ form: Form) -> PythonShape { PythonShape(form: form, obstacle: Obstacle(form: form)) }

  /// A tuple or list, before its parts are added.
  static func display(_ form: Form) -> PythonShape { target(form) }

  mutating func add(_ part: PythonShape) {
    if obstacle == nil, var found = part.obstacle {
      found.isPart = true
      obstacle = found
    }
    if part.hasStar { hasStar = true }
  }

  /// `*part`.
  static func starred(_ part: PythonShape) -> PythonShape {
    PythonShape(form: .starred, obstacle: part.obstacle, hasStar: true)
  }

  /// One name, attribute or item, which alone can be annotated or assigned to with an operator.
  var isSingle: Bool { form == .name || form == .attribute || form == .item }

  var name: String { form.name }

  func cannotBeAnnotated(_ grammar: PythonGrammar, at token: Int) -> PythonFault {
    switch form {
    case .tuple, .list: grammar.fault("only single target (not \(name)) can be annotated", at: token)
    case .starred: grammar.fault()
    default: grammar.fault("illegal target for annotation", at: token)
    }
  }
}

extension PythonShape.Form {
  /// CPython's word for it.
  var name: String {
    switch self {
    case .name: "name"
    case .attribute: "attribute"
    case .item: "subscript"
    case .tuple: "tuple"
    case .list: "list"
    case .starred: "starred"
    case .literal: "literal"
    case .ellipsis: "ellipsis"
    case .isTrue: "True"
    case .isFalse: "False"
    case .isNone: "None"
    case .formatted: "f-string expression"
    case .call: "function call"
    case .operation: "expression"
    case .awaited: "await expression"
    case .yield: "yield expression"
    case .comparison: "comparison"
    case .conditional: "conditional expression"
    case .lambda: "lambda"
    case .named: "named expression"
    case .generator: "generator expression"
    case .comprehension: "comprehension"
    case .dict: "dict literal"
    case .set: "set display"
    }
  }
}
