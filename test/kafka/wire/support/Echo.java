import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;

/**
 * Answers with what Kafka's own classes make of a message. `definition` prints a message definition; `errors` prints all
 * error codes; `echo` reads frames (length, API key, 0 for a request and 1 for a response, version, message) from its
 * input and writes each as Kafka writes it (length, header version, message), or a length of -1 and what went wrong.
 */
public class Echo {
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "definition" -> definition(arguments);
      case "errors" -> errors();
      default -> echo();
    }
  }

  static void definition(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i++) {
      try (InputStream text = Errors.class.getResourceAsStream("/common/message/" + arguments[i] + ".json")) {
        System.out.write(text.readAllBytes());
        System.out.println("\n====");
      }
    }
  }

  static void errors() {
    for (Errors error : Errors.values()) {
      boolean isRetriable = error.exception() instanceof RetriableException;
      boolean isMetadataStale = error.exception() instanceof InvalidMetadataException;
      System.out.println(error.code() + " " + error.name() + " " + isRetriable + " " + isMetadataStale);
    }
  }

  static void echo() throws Exception {
    DataInputStream in = new DataInputStream(System.in);
    DataOutputStream out = new DataOutputStream(System.out);
    while (true) {
      int length = in.readInt();
      if (length < 0) break;
      short key = in.readShort();
      boolean isResponse = in.readByte() == 1;
      short version = in.readShort();
      byte[] bytes = in.readNBytes(length);
      try {
        ApiMessageType type = ApiMessageType.fromApiKey(key);
        if (version > type.highestSupportedVersion(true)) throw new IllegalArgumentException("version too new");
        ApiMessage message = isResponse ? type.newResponse() : type.newRequest();
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        message.read(new ByteBufferAccessor(buffer), version);
        if (buffer.hasRemaining()) throw new IllegalStateException(buffer.remaining() + " bytes are left");
        ByteBuffer again = MessageUtil.toByteBufferAccessor(message, version).buffer();
        out.writeInt(again.remaining());
        out.writeByte(isResponse ? type.responseHeaderVersion(version) : type.requestHeaderVersion(version));
        out.write(again.array(), again.arrayOffset() + again.position(), again.remaining());
      } catch (Exception error) {
        out.writeInt(-1);
        out.writeUTF(error.toString());
      }
      out.flush();
    }
  }
}
