import CairnCore
import CairnSystem
import Dispatch
import Glibc
import Synchronization
import CairnTestSupport
import Testing

@Suite struct FileLockTests {
  @Test("it excludes others, names its holder as zc.lockfile does, and ends with release")
  func exclusion() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("lock", "what an older holder left behind, longer than a pid\n")
    let one = FileLock(path)
    let other = FileLock(path)
    #expect(try one.tryLock())
    #expect(try folder.text("lock") == " \(getpid())\n")
    #expect(try !other.tryLock())
    #expect(other.holder() == getpid())
    one.release()
    #expect(!one.isHeld)
    #expect(try other.tryLock())
    #expect(Files.exists(path))
  }

  @Test("waiting tells the holder once and ends with the lock, or with the time")
  func waiting() throws {
    let folder = try TemporaryFolder()
    let one = FileLock(folder("lock"))
    let other = FileLock(folder("lock"))
    #expect(try one.tryLock())
    var told: [Int32?] = []
    #expect(try !other.lock(within: .milliseconds(60), every: .milliseconds(10)) { told.append($0) })
    #expect(told == [getpid()])
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) { one.release() }
    #expect(try other.lock(within: .seconds(20)) { told.append($0) })
    #expect(told.count == 2)
  }

  @Test("a child does not keep the lock")
  func inheritance() throws {
    let folder = try TemporaryFolder()
    let lock = FileLock(folder("lock"))
    #expect(try lock.tryLock())
    let child = try ChildProcess.start(.init(["/bin/sleep", "5"])) { _ in }
    lock.release()
    #expect(try FileLock(folder("lock")).tryLock())
    child.signal(SIGKILL)
  }

  @Test("flock(1), as any other program, sees it")
  func otherProgram() throws {
    let folder = try TemporaryFolder()
    let lock = FileLock(folder("lock"))
    #expect(try lock.tryLock())
    #expect(try ChildProcess.run(["flock", "-n", folder("lock"), "true"]).exit.code == 1)
    lock.release()
    #expect(try ChildProcess.run(["flock", "-n", folder("lock"), "true"]).exit.code == 0)
  }

  @Test("shared locks go together, an exclusive one goes alone")
  func shared() throws {
    let folder = try TemporaryFolder()
    let path = folder("lock")
    var one = try OpenFileLock.tryLock(path, .shared)
    let two = try OpenFileLock.tryLock(path, .shared)
    #expect(one != nil && two != nil)
    #expect(try OpenFileLock.tryLock(path, .exclusive) == nil)
    #expect(!OpenFileLock.isLocked(path))
    one = nil
    withExtendedLifetime(two) {}
    let folderLock = try OpenFileLock.tryLock(folder.path, .exclusive)
    #expect(folderLock != nil && OpenFileLock.isLocked(folder.path))
    withExtendedLifetime((one, folderLock)) {}
  }
}

@Suite(.serialized) struct SignalWatchTests {
  @Test("signals are told and do not end us; children have them at their defaults")
  func signals() throws {
    let told = Mutex<[Int32]>([])
    let queue = DispatchQueue(label: "signals")
    let watch = SignalWatch([SIGHUP, SIGUSR1], on: queue) { number in told.withLock { $0.append(number) } }
    kill(getpid(), SIGUSR1)
    while told.withLock({ $0.isEmpty }) { usleep(1000) }
    kill(getpid(), SIGHUP)
    while told.withLock({ $0.count < 2 }) { usleep(1000) }
    #expect(told.withLock { $0 } == [SIGUSR1, SIGHUP])
    #expect(try ChildProcess.run(["/bin/sh", "-c", "kill -HUP $$; echo survived"]).exit.signal == SIGHUP)
    withExtendedLifetime(watch) {}
  }
}
