// Where a reason's path lies. A stage declares paths from its folder, with `./` or `../`; whoever reads a record knows
// them from the project's root.
import CairnCore
import CairnLineage

extension Stage {
  /// The same reason with its path as the record's inputs and outputs have it.
  func placed(_ reason: Reason) -> Reason {
    guard let declared = reason.path else { return reason }
    let location: Location? =
      switch reason.kind {
      case .dependencyChanged, .dependencyMissing, .dependencyAdded:
        dependencies.first { $0.declared.hasSameBytes(as: declared) }?.location
      case .parameterChanged, .parameterAdded, .parameterMissing:
        parameters.first { $0.declared.hasSameBytes(as: declared) }?.location
      case .outputChanged, .outputMissing, .outputAdded:
        outputs.first { $0.declared.hasSameBytes(as: declared) }?.location
      default: nil
      }
    var placed = reason
    if let location { placed.path = location.recordPath }
    return placed
  }
}
