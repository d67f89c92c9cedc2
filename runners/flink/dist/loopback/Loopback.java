package millrace;

import static net.bytebuddy.matcher.ElementMatchers.isConstructor;
import static net.bytebuddy.matcher.ElementMatchers.nameEndsWith;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;

import java.lang.instrument.Instrumentation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.matcher.ElementMatcher;

/**
 * An agent for JVMs that serve this machine alone: gRPC servers that are given a port and no
 * address listen on loopback. Beam's runner makes such servers for its workers and for artifacts,
 * and has no setting for where they listen.
 */
public final class Loopback {
  public static void premain(String arguments, Instrumentation instrumentation) {
    // Each copy of gRPC, and Beam has its own, names the class so.
    ElementMatcher.Junction<net.bytebuddy.description.NamedElement> builder = nameEndsWith(".grpc.netty.NettyServerBuilder");
    new AgentBuilder.Default()
        .ignore(not(builder))
        .type(builder)
        .transform(
            (type, description, loader, module, domain) ->
                type.visit(Advice.to(Bind.class).on(isConstructor().and(takesArgument(0, SocketAddress.class)))))
        .installOn(instrumentation);
  }

  /** Stands at the head of the constructor. */
  static class Bind {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 0, readOnly = false) SocketAddress address) {
      if (address instanceof InetSocketAddress
          && ((InetSocketAddress) address).getAddress() != null
          && ((InetSocketAddress) address).getAddress().isAnyLocalAddress()) {
        address = new InetSocketAddress(InetAddress.getLoopbackAddress(), ((InetSocketAddress) address).getPort());
      }
    }
  }
}
