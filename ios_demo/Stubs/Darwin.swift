public typealias integer_t = Int32
public typealias mach_port_t = UInt32
public typealias mach_msg_type_number_t = UInt32
public typealias task_flavor_t = UInt32
public typealias kern_return_t = Int32
public let KERN_SUCCESS: Int32 = 0
public let TASK_VM_INFO: Int32 = 22
// A variable in the SDK too, which Swift 6 refuses without @preconcurrency.
public var mach_task_self_: mach_port_t = 0

public struct task_vm_info_data_t {
    public var ledger_phys_footprint_peak: Int64 = 0
    public init() {}
}

public func task_info(
    _ task: mach_port_t, _ flavor: task_flavor_t, _ info: UnsafeMutablePointer<integer_t>,
    _ count: UnsafeMutablePointer<mach_msg_type_number_t>
) -> kern_return_t { fatalError() }
