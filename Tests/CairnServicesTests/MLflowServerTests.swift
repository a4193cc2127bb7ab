// Where a tracking server is, and what it is told of who asks.
import CairnCore
@testable import CairnServices
import Testing

struct MLflowServerTests {
  private func server(_ address: String, _ variables: [String: String] = [:], files: [String: String] = [:]) throws -> MLflowServer {
    try MLflowServer(
      address,
      surroundings: AWSSurroundings(variable: { variables[$0] }, file: { files[$0].map { Array($0.utf8) } }),
      transport: CurlTransport())
  }

  private func authorization(_ server: MLflowServer) throws -> String? {
    try server.prepare("GET", server.base, body: .none, payload: SigV4.emptyPayload).headers["Authorization"]
  }

  private static let pair = ["MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "p:ß"]

  @Test("a user and a password count before those of the address, and these before a token")
  func order() throws {
    let token = ["MLFLOW_TRACKING_TOKEN": "t"]
    #expect(try authorization(server("http://h")) == nil)
    #expect(try authorization(server("http://h", token)) == "Bearer t")
    #expect(try authorization(server("http://bob:x%20y%2B+@h", token)) == "Basic Ym9iOnggeSsr")
    #expect(try authorization(server("http://bob:x@h", token.merging(Self.pair) { $1 })) == "Basic YW5uOnA6w58=")
    let file = ["/home/u/.mlflow/credentials": "[mlflow]\nmlflow_tracking_username = f\nmlflow_tracking_password = g\n"]
    #expect(try authorization(server("http://h", ["HOME": "/home/u"], files: file)) == "Basic Zjpn")
  }

  @Test("a user of the address is in no place that is shown, and in no URL")
  func secret() throws {
    let server = try server("https://bob:secret@h:8443/base/")
    #expect(server.place == "https://h:8443/base/" && server.base.url == "https://h:8443/base/")
    #expect(server.base.appending("api").url == "https://h:8443/base/api")
  }

  @Test("an ARN leads to its endpoint, or to the one that is set, and is signed")
  func arn() throws {
    let arn = "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-app/app-X"
    let keys = ["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"]
    #expect(try server(arn, keys).base.url == "https://mlflow.sagemaker.eu-west-1.app.aws/")
    let custom = try server(arn, keys.merging(["SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": "http://127.0.0.1:5"]) { $1 })
    #expect(custom.base.url == "http://127.0.0.1:5/")
    let request = try custom.prepare("GET", custom.base, body: .none, payload: SigV4.emptyPayload)
    #expect(request.headers["x-sm-mlflow-app-arn"] == arn)
    #expect(request.headers["Authorization"]?.contains("/eu-west-1/sagemaker/aws4_request") == true)
  }

  @Test("what is no server is refused, with the next step", arguments: ["sqlite:///x.db", "./mlruns", "databricks", "file:///x", "ftp://h"])
  func refused(address: String) {
    #expect { try server(address) } throws: { ($0 as? Diagnostic)?.code == .tracking && ($0 as? Diagnostic)?.hint != nil }
  }

  @Test("certificates are MLflow's own settings")
  func certificates() throws {
    #expect(try server("https://h", ["REQUESTS_CA_BUNDLE": "/a"]).trust == .authorities("/a"))
    #expect(try server("https://h", ["MLFLOW_TRACKING_SERVER_CERT_PATH": "/b", "REQUESTS_CA_BUNDLE": "/a"]).trust == .authorities("/b"))
    #expect(try server("https://h", ["MLFLOW_TRACKING_INSECURE_TLS": "true"]).trust == .anyone)
    #expect(try server("https://h", ["MLFLOW_TRACKING_CLIENT_CERT_PATH": "/c"]).clientCertificate == "/c")
  }
}
